/// When to end an epoch: every `interval`, earlier at the limits, later when commits take more than their share of time.
public struct EpochSchedule: Sendable {
    /// Limits of one epoch of a worker; reaching one ends it at once.
    public struct Limits: Sendable {
        public var records: Int
        /// Bytes of rows and messages produced.
        public var bytes: Int

        public init(records: Int = 500_000, bytes: Int = 64 << 20) {
            self.records = records
            self.bytes = bytes
        }
    }

    public let interval: Duration
    public let limits: Limits
    private var lastCut: Duration
    private var lastCommit = Duration.zero

    /// Commits take at most one part in this many of the time.
    public static let commitShare = 10

    /// `now` here and below: time since any fixed origin, from a clock that never goes back.
    public init(interval: Duration, limits: Limits, now: Duration) {
        self.interval = interval
        self.limits = limits
        lastCut = now
    }

    /// The time of the next cut if no limit is reached before.
    public var nextCut: Duration { lastCut + max(interval, lastCommit * EpochSchedule.commitShare) }

    public func isDue(now: Duration, records: Int, bytes: Int) -> Bool {
        now >= nextCut || records >= limits.records || bytes >= limits.bytes
    }

    public mutating func cut(now: Duration) { lastCut = now }
    public mutating func committed(taking duration: Duration) { lastCommit = duration }
}
