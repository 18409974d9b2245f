/// Offsets of a partition that an operator said to pass over, because they can't be read.
public struct SkippedRecords: Sendable, Equatable {
    public let partition: TopicPartition
    /// The first and the last of them.
    public let first: Int64
    public let last: Int64
    /// By the wall clock.
    public let at: EventTime
    /// The operator's words.
    public let reason: String

    public init(_ partition: TopicPartition, _ offsets: ClosedRange<Int64>, at: EventTime, reason: String) {
        self.partition = partition
        first = offsets.lowerBound
        last = offsets.upperBound
        self.at = at
        self.reason = reason
    }
}
