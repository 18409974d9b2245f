/// Which partitions of a topic are idle: for `idleAfter` the leader answered, the reader stood at the log's end,
/// nothing held reading back, and no record came. It never goes by the wall clock or by silence alone.
public struct IdleTracker: Sendable {
    private struct Partition {
        /// Since when the reader stands at the log's end with nothing new; nil while it doesn't.
        var quietSince: Duration?
        /// The offset that it stands at.
        var end: Int64 = 0
        /// Since when the leader's answers have come without a gap; nil before the first.
        var answeredSince: Duration?
        var lastAnswer = Duration.zero
    }

    public let idleAfter: Duration
    private var partitions: [TopicPartition: Partition]

    public init(idleAfter: Duration, partitions: [TopicPartition]) {
        self.idleAfter = idleAfter
        self.partitions = Dictionary(uniqueKeysWithValues: partitions.map { ($0, Partition()) })
    }

    /// How often leaders are asked: answers further apart than twice this are a gap.
    public var probeInterval: Duration { idleAfter / 4 }

    public mutating func recordsCame(_ partition: TopicPartition) { partitions[partition]?.quietSince = nil }

    public mutating func reachedEnd(_ partition: TopicPartition, at offset: Int64, now: Duration) {
        guard let known = partitions[partition] else { return }
        partitions[partition]!.end = offset
        if known.quietSince == nil { partitions[partition]!.quietSince = now }
    }

    /// Reading was held back: every partition has to be quiet anew, from now on.
    public mutating func readingWasHeld(now: Duration) {
        for partition in partitions.keys where partitions[partition]!.quietSince != nil { partitions[partition]!.quietSince = now }
    }

    /// The leader said where its log ends. An end beyond the reader's means that records are on their way.
    public mutating func leaderAnswered(_ partition: TopicPartition, end: Int64, now: Duration) {
        guard let known = partitions[partition] else { return }
        if known.answeredSince == nil || now - known.lastAnswer > probeInterval * 2 { partitions[partition]!.answeredSince = now }
        partitions[partition]!.lastAnswer = now
        if end > known.end { partitions[partition]!.quietSince = nil }
    }

    /// The partitions whose leaders are worth asking now: those that may be or become idle.
    public var candidates: [TopicPartition] { partitions.filter { $0.value.quietSince != nil }.map(\.key).sorted() }

    public func isIdle(_ partition: TopicPartition, now: Duration) -> Bool {
        guard let known = partitions[partition], let quiet = known.quietSince, let answered = known.answeredSince else { return false }
        return now - quiet >= idleAfter && now - answered >= idleAfter && now - known.lastAnswer <= probeInterval * 2
    }
}
