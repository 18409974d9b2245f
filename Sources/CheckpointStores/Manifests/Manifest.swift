import Engine

/// One checkpoint of a job: which objects make up its state, and what that state is. See checkpoints/README.md.
public struct Manifest: Equatable, Sendable {
    /// The version of the format that this program writes, and the newest that it reads.
    public static let format = 1

    public let number: ManifestNumber
    public let job: String
    /// The least `format` that a reader must know.
    public let minimumReader: Int
    /// The version of the job that wrote the state.
    public let jobVersion: Int
    /// The version of the state file's format.
    public let stateFormat: Int
    /// The history that the state belongs to; a new one begins with an empty state.
    public let identity: String
    /// The job's, for hashes that the state holds; nil where an earlier build wrote the manifest.
    public let hashKey: HashKey?
    public let lineage: Lineage
    /// Who wrote it: `host:pid:random`, another one each run.
    public let writer: String
    public let epoch: Epoch
    /// Milliseconds since 1970 UTC, by the writer's clock.
    public let createdAt: Int64
    public let reason: CheckpointReason
    /// The manifest before; nil for the first.
    public let parent: ManifestLink?
    /// The base, then the deltas in the order in which they are applied.
    public let objects: [ManifestObject]
    /// Partitions of every topic and stage.
    public let partitions: [String: Int]
    public let tasks: [CheckpointFacts.TaskProgress]
    public let tables: [CheckpointFacts.TableProgress]
    /// The hash of the manifest's own bytes as they are stored.
    public internal(set) var sha256: SHA256Digest

    public var link: ManifestLink { ManifestLink(number: number, sha256: sha256) }
    /// The size of all objects together, which `fault` bounds.
    public var bytes: Int { objects.reduce(0) { $0 + $1.digest.bytes } }

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
    public func isAbandoned(by later: Manifest) -> Bool { later.number > number && later.lineage > lineage && later.epoch < epoch }
}

/// What stays of a manifest that was collected.
public struct Tombstone: Hashable, Sendable {
    public let number: ManifestNumber
    /// The hash of the bytes that the manifest had.
    public let sha256: SHA256Digest
}

public enum ManifestOrTombstone: Sendable, Equatable {
    case manifest(Manifest)
    case tombstone(Tombstone)

    public var link: ManifestLink {
        switch self {
        case .manifest(let manifest): manifest.link
        case .tombstone(let tombstone): ManifestLink(number: tombstone.number, sha256: tombstone.sha256)
        }
    }
}
