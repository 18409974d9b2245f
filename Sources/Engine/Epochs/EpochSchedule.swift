/// When to end an epoch: every `interval`, earlier at the limits, later when commits take more than their share of time.
package struct EpochSchedule: Sendable {
    package let interval: Duration
    private var lastCut: Duration
    private var lastCommit = Duration.zero

    /// Commits take at most one part in this many of the time.
    package static let commitShare = 10
    /// … but the next cut is never put off longer than this, or than the interval: a commit that once took minutes (a
    /// stalled disk, a stopped process) must not keep everything read after it waiting for ten times as long.
    package static let longestStretch = Duration.seconds(10)

    /// `now` here and below: time since any fixed origin, from a clock that never goes back.
    package init(interval: Duration, now: Duration) {
        self.interval = interval
        lastCut = now
    }

    /// The time of the next cut if no limit is reached before.
    package var nextCut: Duration { lastCut + max(interval, min(lastCommit * EpochSchedule.commitShare, EpochSchedule.longestStretch)) }

    /// `isFull`: a thread has reached its share of the epoch's limits of records or bytes.
    package func isDue(now: Duration, isFull: Bool) -> Bool { now >= nextCut || isFull }

    package mutating func cut(now: Duration) { lastCut = now }
    package mutating func committed(taking duration: Duration) { lastCommit = duration }
}
