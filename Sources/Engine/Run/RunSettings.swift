/// What a start and the loop after it decide by.
public struct RunSettings: Sendable {
    /// How many groups the tasks are spread over, each on a thread of its own; 0 for as many as the machine has cores, which a
    /// worker finds out. There are never more groups than tasks.
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
    /// Records with more bytes of key and value are rejected; of a reference topic they are unusable.
    public var recordLimit = Int.max
    /// Read every partition to where it ended at the start, close all windows, deliver everything, and end.
    public var readsUntilEnd = false
    /// Read the partitions that the state knows to where they ended at the start, deliver that, and end, for a topic that
    /// has grown: its state is brought to the new partitions afterwards.
    ///
    /// Watermarks stand still meanwhile, for no partition may be further than what the new ones hold of its keys: so windows
    /// stay open, and nothing in the new partitions is late.
    public var endsBeforeRepartition = false

    public init() {}

    /// True for a run that ends by itself, where its partitions ended when it began.
    package var isBounded: Bool { readsUntilEnd || endsBeforeRepartition }
}
