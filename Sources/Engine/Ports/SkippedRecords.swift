/// Offsets of a partition that an operator said to pass over, because they can't be read.
package struct SkippedRecords: Sendable, Equatable {
    package let partition: TopicPartition
    /// The first and the last of them.
    package let first: Int64
    package let last: Int64
    /// By the wall clock.
    package let at: EventTime
    /// The operator's words.
    package let reason: String

    package init(_ partition: TopicPartition, _ offsets: ClosedRange<Int64>, at: EventTime, reason: String) {
        self.partition = partition
        first = offsets.lowerBound
        last = offsets.upperBound
        self.at = at
        self.reason = reason
    }
}
