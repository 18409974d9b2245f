import Engine

/// What a writer says of a checkpoint; `CheckpointStore.publish` adds the number, the job and the keys of new objects.
package struct ManifestDraft: Sendable {
    /// The newest manifest as the writer knows it (`CheckpointStore.newestLink`, also when that one is damaged); nil when
    /// there was none. Losing the race for the number after it means that another writer has the job.
    package var parent: ManifestLink?
    package var minimumReader = Manifest.format
    package var jobVersion: Int
    package var stateFormat: Int
    package var identity: String
    package var hashKey: HashKey?
    package var lineage: Lineage
    package var writer: String
    package var epoch: Epoch
    /// Milliseconds since 1970 UTC.
    package var createdAt: Int64
    package var reason: CheckpointReason
    /// Objects that are in the store already, in front of the new ones: usually the parent's.
    package var retained: [ManifestObject]
    package var partitions: [String: Int]
    package var tasks: [CheckpointFacts.TaskProgress]
    package var tables: [CheckpointFacts.TableProgress]

    package init(
        parent: ManifestLink?, jobVersion: Int, stateFormat: Int, identity: String, hashKey: HashKey?, lineage: Lineage, writer: String,
        epoch: Epoch,
        createdAt: Int64, reason: CheckpointReason, retained: [ManifestObject], partitions: [String: Int],
        tasks: [CheckpointFacts.TaskProgress], tables: [CheckpointFacts.TableProgress]
    ) {
        self.parent = parent
        self.jobVersion = jobVersion
        self.stateFormat = stateFormat
        self.identity = identity
        self.hashKey = hashKey
        self.lineage = lineage
        self.writer = writer
        self.epoch = epoch
        self.createdAt = createdAt
        self.reason = reason
        self.retained = retained
        self.partitions = partitions
        self.tasks = tasks
        self.tables = tables
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
