import Engine

extension Manifest {
    /// A longer one is damaged; 256 objects and a few thousand tasks fit many times.
    static let longest = 16 << 20

    /// The manifest that a draft becomes, and its bytes.
    static func made(
        from draft: ManifestDraft, job: String, objects: [ManifestObject]
    ) throws(CheckpointError) -> (manifest: Manifest, bytes: [UInt8]) {
        var manifest = Manifest(
            number: draft.parent?.number.next ?? .first, minimumReader: draft.minimumReader, facts: draft.facts, writer: draft.writer,
            createdAt: draft.createdAt, reason: draft.reason, parent: draft.parent, objects: objects, sha256: SHA256.of([])
        )
        guard draft.facts.job == job else {
            throw CheckpointError(.bug, "a checkpoint of the job \(quotedJSON(draft.facts.job)) was to be published as one of \(job)")
        }
        if let fault = manifest.fault {
            throw CheckpointError(.invalid, "manifest \(manifest.number) of \(job) can't be published: \(fault)")
        }
        let bytes = try CheckedJSON.encode(manifest)
        guard bytes.count <= longest else {
            throw CheckpointError(
                .invalid, "manifest \(manifest.number) of \(job) would have \(bytes.count) bytes; the limit is \(longest)")
        }
        manifest.sha256 = SHA256.of(bytes)
        return (manifest, bytes)
    }

    /// What contradicts itself in the manifest; nil when nothing does.
    var fault: String? {
        var together = 0
        for object in objects {
            let (sum, overflow) = together.addingReportingOverflow(object.digest.bytes)
            guard !overflow, StoredBounds.bytes.contains(Int64(sum)) else { return "its objects together have more bytes than any store" }
            together = sum
        }
        guard (1...Manifest.format).contains(minimumReader) else {
            return "its least reader, \(minimumReader), is none that this version knows"
        }
        if parent?.number != number.previous { return "its parent is not the manifest before it" }
        guard let base = objects.first, base.kind == .base else { return "its first object is no base" }
        var reached = base.epoch
        for delta in objects.dropFirst() {
            guard delta.kind == .delta(after: reached), delta.epoch > reached else {
                return "\(delta.key) doesn't follow on epoch \(reached)"
            }
            reached = delta.epoch
        }
        guard reached == facts.epoch else { return "its objects lead to epoch \(reached), and it says \(facts.epoch)" }
        guard let odd = objects.first(where: { $0.key != StoreLayout.objectName($0.kind, $0.digest.sha256) || $0.digest.bytes < 0 }) else {
            return nil
        }
        return "\(odd.key) is not where an object of its kind and hash lies"
    }
}

extension ManifestOrTombstone {
    /// What every version of the format keeps, so that any reader can tell whether it may go on.
    private struct Head: Decodable {
        let format: Int
        let number: ManifestNumber
        let minimumReader: Int?
        let collected: Bool?
    }

    /// Reads the object at `place`, which should be manifest `number` of `job`.
    static func read(_ bytes: [UInt8], number: ManifestNumber, job: String, at place: String) throws(CheckpointError) -> ManifestOrTombstone
    {
        let head = try CheckedJSON.decode(Head.self, from: bytes, at: place)
        guard head.number == number else {
            throw CheckpointError(.corrupt, "\(place) is damaged: it says that it is number \(head.number); use another checkpoint")
        }
        guard (head.minimumReader ?? head.format) <= Manifest.format else {
            throw CheckpointError(
                .incompatible,
                "\(place) was written by a newer version (it needs a reader of format \(head.minimumReader ?? head.format), this one knows \(Manifest.format)); use that version"
            )
        }
        if head.collected == true { return .tombstone(try CheckedJSON.decode(Tombstone.self, from: bytes, at: place)) }
        let manifest = try CheckedJSON.decode(Manifest.self, from: bytes, at: place, information: [.manifestHash: SHA256.of(bytes)])
        guard manifest.job == job else {
            throw CheckpointError(
                .corrupt,
                "\(place) is damaged or out of place: it belongs to the job \(quotedJSON(manifest.job)), not to \(job); copy checkpoints with their job's name"
            )
        }
        if let fault = manifest.fault { throw CheckpointError(.corrupt, "\(place) is damaged: \(fault); use another checkpoint") }
        return .manifest(manifest)
    }
}
