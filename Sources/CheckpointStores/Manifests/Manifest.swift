import Engine

/// One checkpoint of a job: which objects make up its state, and what that state is. See checkpoints/README.md.
@dynamicMemberLookup
package struct Manifest: Equatable, Sendable {
    /// The version of the format that this program writes, and the newest that it reads.
    package static let format = 1

    package let number: ManifestNumber
    /// The least `format` that a reader must know.
    package let minimumReader: Int
    /// What the state is, as its file tells it too; a manifest offers each of these as its own.
    package let facts: CheckpointFacts
    /// Who wrote it: `host:pid:random`, another one each run.
    package let writer: String
    /// Milliseconds since 1970 UTC, by the writer's clock.
    package let createdAt: Int64
    package let reason: CheckpointReason
    /// The manifest before; nil for the first.
    package let parent: ManifestLink?
    /// The base, then the deltas in the order in which they are applied.
    package let objects: [ManifestObject]
    /// The hash of the manifest's own bytes as they are stored.
    package internal(set) var sha256: SHA256Digest

    package subscript<Value>(dynamicMember fact: KeyPath<CheckpointFacts, Value>) -> Value { facts[keyPath: fact] }

    package var link: ManifestLink { ManifestLink(number: number, sha256: sha256) }
    /// The size of all objects together, which `fault` bounds.
    package var bytes: Int { objects.reduce(0) { $0 + $1.digest.bytes } }

    /// What a restore has to fetch.
    var chain: CheckpointChain {
        objects.reduce(into: CheckpointChain()) { chain, object in
            switch object.kind {
            case .base: chain.baseBytes += object.digest.bytes
            case .delta:
                chain.deltas += 1
                chain.deltaBytes += object.digest.bytes
            }
        }
    }

    /// True when `later` belongs to a lineage that began before this checkpoint: what was delivered between the two was
    /// rolled back, and this one counts it still.
    package func isAbandoned(by later: Manifest) -> Bool {
        later.number > number && later.lineage > facts.lineage && later.epoch < facts.epoch
    }
}

/// What stays of a manifest that was collected.
package struct Tombstone: Hashable, Sendable {
    package let number: ManifestNumber
    /// The hash of the bytes that the manifest had.
    package let sha256: SHA256Digest
}

package enum ManifestOrTombstone: Sendable, Equatable {
    case manifest(Manifest)
    case tombstone(Tombstone)

    package var link: ManifestLink {
        switch self {
        case .manifest(let manifest): manifest.link
        case .tombstone(let tombstone): ManifestLink(number: tombstone.number, sha256: tombstone.sha256)
        }
    }
}
