/// What a checkpoint says of the state in it, without its records: what a manifest holds.
package struct CheckpointFacts: Sendable, Equatable {
    package let job: String
    package let jobVersion: Int
    /// The version of the state file's format.
    package let stateFormat: Int
    package let identity: String
    /// nil for a state that no build which knows such keys has opened.
    package let hashKey: HashKey?
    package let lineage: Lineage
    /// The last epoch in it.
    package let epoch: Epoch
    /// How many partitions each topic and each stage has.
    package let partitions: [String: Int]
    /// In order of stages and partitions.
    package let tasks: [TaskProgress]
    /// In order of names.
    package let tables: [TableProgress]

    /// How far a task was.
    package struct TaskProgress: Sendable, Equatable {
        package let id: TaskID
        /// nil before its first record.
        package let watermark: EventTime?
        /// The offset to read next; nil when it reads no partition or has read nothing.
        package let next: Int64?

        package init(id: TaskID, watermark: EventTime?, next: Int64?) {
            self.id = id
            self.watermark = watermark
            self.next = next
        }
    }

    /// How far an output table was in this lineage.
    package struct TableProgress: Sendable, Equatable {
        package let name: String
        package let lastFrozen: BatchNumber?
        package let lastDelivered: BatchNumber?

        package init(name: String, lastFrozen: BatchNumber?, lastDelivered: BatchNumber?) {
            self.name = name
            self.lastFrozen = lastFrozen
            self.lastDelivered = lastDelivered
        }
    }

    package init(
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
