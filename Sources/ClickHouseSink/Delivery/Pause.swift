import Glibc

/// Waiting on the delivering thread.
enum Pause {
    /// How late a cancellation may be noticed.
    private static let slice = Duration.milliseconds(20)

    /// Waits; false when cancelled before its end.
    static func wait(_ duration: Duration, unless isCancelled: () -> Bool) -> Bool {
        let end = ContinuousClock.now + duration
        while !isCancelled() {
            let rest = end - .now
            guard rest > .zero else { return true }
            let (seconds, attoseconds) = min(rest, slice).components
            usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
        }
        return false
    }
}

/// Pauses that double up to a limit, between attempts that fail.
struct Backoff {
    private let first: Duration
    private let limit: Duration
    private var next: Duration

    init(_ settings: ClickHouseSettings) {
        first = settings.retryPause
        limit = settings.retryPauseLimit
        next = settings.retryPause
    }

    mutating func reset() { next = first }

    /// Waits for the next, longer pause; false when cancelled before its end.
    mutating func wait(unless isCancelled: () -> Bool) -> Bool {
        defer { next = min(next * 2, limit) }
        return Pause.wait(next, unless: isCancelled)
    }
}
