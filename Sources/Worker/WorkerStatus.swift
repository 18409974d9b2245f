import Engine

/// A worker as the outside sees it: a copy, as of the last commit.
public struct WorkerStatus: Sendable {
    public struct Task: Sendable {
        public let id: TaskID
        public let watermark: EventTime
        public let position: SourcePosition?
        public let isIdle: Bool
        public let counters: TaskCounters
    }

    /// A reference table and how far its topic is read.
    public struct Reference: Sendable {
        public let name: String
        public let topic: String
        public let counters: ReferenceCounters
        /// What could not be used since this process began, by reason: records, or a field of them.
        public let defects: [ReasonCounts.Entry]
        public let keys: Int
        /// What the table takes in memory, with its reader's indexes.
        public let memoryBytes: Int
        /// The offset to read next, by partition; partitions that no record was read of are not among them.
        public let nextOffsets: [Int: Int64]
        public let loading: ReferenceLoading
    }

    /// How far the start's reading of a reference topic is, in offsets from where it began.
    public struct ReferenceLoading: Sendable, Equatable {
        public var read: Int64 = 0
        /// nil where a partition's leader did not say where it ended at the start.
        public var total: Int64? = 0
    }

    /// How many records of a reference topic this process has read.
    public struct ReferenceCounters: Sendable, Equatable {
        public var applied: UInt64 = 0
        public var ignored: UInt64 = 0
        public var unusable: UInt64 = 0

        public var total: UInt64 { applied + ignored + unusable }
    }

    /// The checkpoints of this run.
    package struct Checkpoint: Sendable {
        /// The last one that is in the store.
        package var last: PublishedCheckpoint?
        /// The wall clock then, milliseconds since 1970 UTC.
        package var lastAt: Int64?
        /// Why the one after it is not there; nil when all is well.
        package var problem: String?
    }

    /// Records that wait behind an open transaction of whoever writes them.
    public struct TransactionWait: Sendable, Equatable {
        public let partition: TopicPartition
        /// The first offset that can't be read (Kafka's last stable offset).
        public let offset: Int64
        /// The offset after the last record that waits.
        public let end: Int64
        /// By the worker's monotonic clock.
        let since: Duration

        /// For how long, as of now.
        public var waited: Duration { Clock.now - since }
    }

    public enum Phase: String, Sendable { case starting, running, draining, finished }

    public var phase = Phase.starting
    public var lineage = Lineage.first
    public var epoch = Epoch(0)
    public var tasks: [Task] = []
    public var outbox: [OutboxDepth] = []
    public var outboxBytes = 0
    public var isReadingHeld = false
    /// Bytes of records in memory.
    public var stateBytes = 0
    public var lastCommit = Duration.zero
    /// In order of partitions.
    public var transactionWaits: [TransactionWait] = []
    public var references: [Reference] = []
    package var checkpoint = Checkpoint()
    /// What the start took, part by part; complete with the first record.
    public var start = StartTimes()
    /// Bytes of rows and messages that waited in the state that the run began with; nil before that was opened.
    public var waitingAtStart: Int?
    /// What the drain took, as far as it is over.
    public var drain = DrainTimes()
    /// What went wrong last and has not been mended since; nil when all is well.
    public var problem: String?
    /// Why the clock is doubted, so that nothing is read; nil while it is not.
    public var clockDoubt: String?
}
