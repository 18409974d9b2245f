import Engine

/// How a worker runs a topology: what the run decides by (`RunSettings`, whose members are members of this one too), and what
/// the worker adds to it.
@dynamicMemberLookup
public struct WorkerSettings: Sendable {
    public var run = RunSettings()
    /// Bytes of reference tables in memory at which the run ends with an error: they are held whole.
    public var referenceMemoryLimit = 1 << 30
    /// Within this time the reference topics must be read to their ends, or the run fails.
    public var referenceTimeout = Duration.seconds(300)
    /// Whether the log tells now and then how far that is; no, where somebody watches it otherwise.
    public var logsReferenceProgress = true
    /// The least time between two commits of the reference tables' file while they are followed.
    public var referenceCommitInterval = Duration.milliseconds(500)
    /// How often it is asked whether the topics still have the partitions that are read.
    public var topicInterval = Duration.seconds(20)
    /// How far records may be ahead of the worker's clock; nil for any time. While the clock is behind, by the last epoch or by the
    /// sink's server, nothing is read. Stages say by `rejectingAhead` what they reject.
    public var maxAhead: EventSpan?
    /// Milliseconds since 1970 UTC.
    public var wallClock: @Sendable () -> Int64 = { Clock.wallMilliseconds }

    public init() {}

    public subscript<Value>(dynamicMember member: WritableKeyPath<RunSettings, Value>) -> Value {
        get { run[keyPath: member] }
        set { run[keyPath: member] = newValue }
    }
}
