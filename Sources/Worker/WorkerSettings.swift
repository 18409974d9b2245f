import Engine

/// How a worker runs a topology.
public struct WorkerSettings: Sendable {
    /// How many threads process records; 0 for as many as the machine has cores.
    public var threads = 0
    public var epochInterval = Duration.milliseconds(500)
    /// An epoch ends early at this many records, or at this many bytes of rows and messages.
    public var epochRecords = 500_000
    public var epochBytes = 16 << 20
    public var flushInterval = Duration.seconds(1)
    public var outboxLimits = Outbox.Limits()
    /// For how long a partition is quiet before it counts as idle.
    public var idleAfter = Duration.seconds(30)
    /// How long a drain may take before what is undelivered stays in the outbox.
    public var drainTimeout = Duration.seconds(25)
    /// Bytes of records in memory above which those not used of late are evicted.
    public var memoryBudget = 512 << 20
    /// How many names a set, or counts, of one record hold at most.
    public var namesPerRecord = NameBound.usual
    /// Bytes of reference tables in memory at which the run ends with an error: they are held whole.
    public var referenceMemoryLimit = 1 << 30
    /// Within this time the reference topics must be read to their ends, or the run fails.
    public var referenceTimeout = Duration.seconds(300)
    /// Whether the log tells now and then how far that is; no, where somebody watches it otherwise.
    public var logsReferenceProgress = true
    /// The least time between two commits of the reference tables' file while they are followed.
    public var referenceCommitInterval = Duration.milliseconds(500)
    /// Read every partition to where it ended at the start, close all windows, deliver everything, and return.
    public var readsUntilEnd = false
    /// Read the partitions that the state knows to where they ended at the start, deliver that, and return, for a topic that
    /// has grown: its state is brought to the new partitions afterwards.
    ///
    /// Watermarks stand still meanwhile, for no partition may be further than what the new ones hold of its keys: so windows
    /// stay open, and nothing in the new partitions is late.
    public var endsBeforeRepartition = false

    /// Records with more bytes of key and value are rejected; of a reference topic they are unusable.
    public var recordLimit = Int.max
    /// How far records may be ahead of the worker's clock; nil for any time. While the clock is behind, by the last epoch or by the
    /// sink's server, nothing is read. Stages say by `rejectingAhead` what they reject.
    public var maxAhead: EventSpan?
    /// Milliseconds since 1970 UTC.
    public var wallClock: @Sendable () -> Int64 = { Clock.wallMilliseconds }

    public init() {}
}

/// How a run ended.
public enum RunOutcome: Sendable, Equatable {
    /// Everything read is durable and delivered.
    case complete
    /// Everything read is durable; some rows or messages between stages still wait in the state, for the next start.
    case undelivered(bytes: Int)
}
