import Engine

/// What a writer says of a checkpoint; `CheckpointStore.publish` adds the number and the keys of new objects.
package struct ManifestDraft: Sendable {
    package let facts: CheckpointFacts
    /// The newest manifest as the writer knows it (`CheckpointStore.newestLink`, also when that one is damaged); nil when
    /// there was none. Losing the race for the number after it means that another writer has the job.
    package var parent: ManifestLink?
    /// Objects that are in the store already, in front of the new ones: usually the parent's.
    package let retained: [ManifestObject]
    package let writer: String
    /// Milliseconds since 1970 UTC.
    package let createdAt: Int64
    package let reason: CheckpointReason
    package var minimumReader: Int

    package init(
        _ facts: CheckpointFacts, after parent: ManifestLink?, retaining retained: [ManifestObject], writer: String, createdAt: Int64,
        reason: CheckpointReason, minimumReader: Int = Manifest.format
    ) {
        self.facts = facts
        self.parent = parent
        self.retained = retained
        self.writer = writer
        self.createdAt = createdAt
        self.reason = reason
        self.minimumReader = minimumReader
    }
}

/// A local file that becomes an object.
package struct NewObject: Hashable, Sendable {
    package let kind: ManifestObject.Kind
    package let file: String
    /// The epoch of the state with this file applied.
    package let epoch: Epoch

    package init(kind: ManifestObject.Kind, file: String, epoch: Epoch) {
        self.kind = kind
        self.file = file
        self.epoch = epoch
    }
}
