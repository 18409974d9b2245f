/// Which partitions of a topic are idle: for `idleAfter` the leader answered, the reader stood at the log's end,
/// nothing held reading back, and no record came. It never goes by the wall clock or by silence alone.
package struct IdleTracker: Sendable {
    private struct Partition {
        /// The reader stands at the end of what can be read.
        var isAtEnd = false
        /// Since when the reader stands at the log's end with nothing new; nil while it doesn't, or records wait behind an open
        /// transaction.
        var quietSince: Duration?
        /// The offset that it stands at.
        var end: Int64 = 0
        /// Since when the leader's answers have come without a gap; nil before the first.
        var answeredSince: Duration?
        var lastAnswer = Duration.zero
    }

    package let idleAfter: Duration
    private var partitions: [TopicPartition: Partition]

    package init(idleAfter: Duration, partitions: [TopicPartition]) {
        self.idleAfter = idleAfter
        self.partitions = Dictionary(uniqueKeysWithValues: partitions.map { ($0, Partition()) })
    }

    /// How often leaders are asked: answers further apart than twice this are a gap.
    package var probeInterval: Duration { idleAfter / 4 }

    package mutating func recordsCame(_ partition: TopicPartition) {
        partitions[partition]?.isAtEnd = false
        partitions[partition]?.quietSince = nil
    }

    package mutating func reachedEnd(_ partition: TopicPartition, at offset: Int64, now: Duration) {
        guard let known = partitions[partition] else { return }
        partitions[partition]!.isAtEnd = true
        partitions[partition]!.end = offset
        if known.quietSince == nil { partitions[partition]!.quietSince = now }
    }

    /// Reading was held back: every partition has to be quiet anew, from now on.
    package mutating func readingWasHeld(now: Duration) {
        for partition in partitions.keys where partitions[partition]!.quietSince != nil { partitions[partition]!.quietSince = now }
    }

    /// The leader said where its log ends. An end beyond the reader's means that records are on their way, or wait behind an open
    /// transaction.
    package mutating func leaderAnswered(_ partition: TopicPartition, end: Int64, now: Duration) {
        guard let known = partitions[partition] else { return }
        if known.answeredSince == nil || now - known.lastAnswer > probeInterval * 2 { partitions[partition]!.answeredSince = now }
        partitions[partition]!.lastAnswer = now
        if end > known.end {
            partitions[partition]!.quietSince = nil
        } else if known.isAtEnd, known.quietSince == nil {
            partitions[partition]!.quietSince = now
        }
    }

    /// The partitions whose leaders are worth asking now: those that may be or become idle, and those that wait.
    package var candidates: [TopicPartition] { partitions.filter(\.value.isAtEnd).map(\.key).sorted() }

    package func isIdle(_ partition: TopicPartition, now: Duration) -> Bool {
        guard let known = partitions[partition], let quiet = known.quietSince, let answered = known.answeredSince else { return false }
        return now - quiet >= idleAfter && now - answered >= idleAfter && now - known.lastAnswer <= probeInterval * 2
    }
}

/// How far the watermarks of a topic's idle tasks rise.
///
/// To the least watermark among the tasks that are not idle; when all are idle, to the end of the last window open in
/// any of them or of the tasks behind them (which have no watermark but theirs), no further. They never follow the wall clock.
package enum IdleWatermarks {
    package struct Member: Sendable, Equatable {
        package var watermark: EventTime
        package var lastOpenWindowEnd: EventTime?
        package var isIdle: Bool

        package init(watermark: EventTime, lastOpenWindowEnd: EventTime?, isIdle: Bool) {
            self.watermark = watermark
            self.lastOpenWindowEnd = lastOpenWindowEnd
            self.isIdle = isIdle
        }
    }

    /// The watermark that every idle task of the topic rises to; nil when none has to move.
    /// `lastWindowEndBehind`: the end of the last window open in any task that these send to; nil when none is.
    package static func target(_ tasks: [Member], lastWindowEndBehind: EventTime? = nil) -> EventTime? {
        guard tasks.contains(where: \.isIdle) else { return nil }
        let awake = tasks.filter { !$0.isIdle }
        let target =
            awake.isEmpty ? (tasks.map(\.lastOpenWindowEnd) + [lastWindowEndBehind]).compactMap { $0 }.max() : awake.map(\.watermark).min()
        guard let target, target > .distantPast else { return nil }
        return tasks.contains { $0.isIdle && $0.watermark < target } ? target : nil
    }
}
