import Engine

/// What a writer says of a checkpoint; `CheckpointStore.publish` adds the number, the job and the keys of new objects.
public struct ManifestDraft: Sendable {
    /// The newest manifest as the writer knows it (`CheckpointStore.newestLink`, also when that one is damaged); nil when
    /// there was none. Losing the race for the number after it means that another writer has the job.
    public var parent: ManifestLink?
    public var minimumReader = Manifest.format
    public var jobVersion: Int
    public var stateFormat: Int
    public var identity: String
    public var hashKey: HashKey?
    public var lineage: Lineage
    public var writer: String
    public var epoch: Epoch
    /// Milliseconds since 1970 UTC.
    public var createdAt: Int64
    public var reason: CheckpointReason
    /// Objects that are in the store already, in front of the new ones: usually the parent's.
    public var retained: [ManifestObject]
    public var partitions: [String: Int]
    public var tasks: [CheckpointFacts.TaskProgress]
    public var tables: [CheckpointFacts.TableProgress]

    public init(
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
public struct NewObject: Hashable, Sendable {
    public let kind: ManifestObject.Kind
    public let file: String
    /// The epoch of the state with this file applied.
    public let epoch: Epoch

    public init(kind: ManifestObject.Kind, file: String, epoch: Epoch) {
        self.kind = kind
        self.file = file
        self.epoch = epoch
    }
}
