/// What a checkpoint says of the state in it, without its records: what a manifest holds.
public struct CheckpointFacts: Sendable, Equatable {
    public let job: String
    public let jobVersion: Int
    /// The version of the state file's format.
    public let stateFormat: Int
    public let identity: String
    /// nil for a state that no build which knows such keys has opened.
    public let hashKey: HashKey?
    public let lineage: Lineage
    /// The last epoch in it.
    public let epoch: Epoch
    /// How many partitions each topic and each stage has.
    public let partitions: [String: Int]
    /// In order of stages and partitions.
    public let tasks: [TaskProgress]
    /// In order of names.
    public let tables: [TableProgress]

    /// How far a task was.
    public struct TaskProgress: Sendable, Equatable {
        public let id: TaskID
        /// nil before its first record.
        public let watermark: EventTime?
        /// The offset to read next; nil when it reads no partition or has read nothing.
        public let next: Int64?

        public init(id: TaskID, watermark: EventTime?, next: Int64?) {
            self.id = id
            self.watermark = watermark
            self.next = next
        }
    }

    /// How far an output table was in this lineage.
    public struct TableProgress: Sendable, Equatable {
        public let name: String
        public let lastFrozen: BatchNumber?
        public let lastDelivered: BatchNumber?

        public init(name: String, lastFrozen: BatchNumber?, lastDelivered: BatchNumber?) {
            self.name = name
            self.lastFrozen = lastFrozen
            self.lastDelivered = lastDelivered
        }
    }

    public init(
        job: String, jobVersion: Int, stateFormat: Int, identity: String, hashKey: HashKey?, lineage: Lineage, epoch: Epoch,
        partitions: [String: Int],
        tasks: [TaskProgress], tables: [TableProgress]
    ) {
        self.job = job
        self.jobVersion = jobVersion
        self.stateFormat = stateFormat
        self.identity = identity
        self.hashKey = hashKey
        self.lineage = lineage
        self.epoch = epoch
        self.partitions = partitions
        self.tasks = tasks
        self.tables = tables
    }
}
