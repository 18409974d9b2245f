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
    /// What went wrong last and has not been mended since; nil when all is well.
    public var problem: String?
}
