/// How far the watermarks of a topic's idle tasks rise.
///
/// To the least watermark among the tasks that are not idle; when all are idle, to the end of the last window open in
/// any of them or of the tasks behind them (which have no watermark but theirs), no further. They never follow the wall clock.
public enum IdleWatermarks {
    public struct Member: Sendable, Equatable {
        public var watermark: EventTime
        public var lastOpenWindowEnd: EventTime?
        public var isIdle: Bool

        public init(watermark: EventTime, lastOpenWindowEnd: EventTime?, isIdle: Bool) {
            self.watermark = watermark
            self.lastOpenWindowEnd = lastOpenWindowEnd
            self.isIdle = isIdle
        }
    }

    /// The watermark that every idle task of the topic rises to; nil when none has to move.
    /// `lastWindowEndBehind`: the end of the last window open in any task that these send to; nil when none is.
    public static func target(_ tasks: [Member], lastWindowEndBehind: EventTime? = nil) -> EventTime? {
        guard tasks.contains(where: \.isIdle) else { return nil }
        let awake = tasks.filter { !$0.isIdle }
        let target =
            awake.isEmpty ? (tasks.map(\.lastOpenWindowEnd) + [lastWindowEndBehind]).compactMap { $0 }.max() : awake.map(\.watermark).min()
        guard let target, target > .distantPast else { return nil }
        return tasks.contains { $0.isIdle && $0.watermark < target } ? target : nil
    }
}
