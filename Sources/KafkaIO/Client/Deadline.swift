import Glibc

/// A point in time by which something has to be done, made of a limit that errors can name.
struct Deadline {
    let limit: Duration
    private let end: ContinuousClock.Instant

    init(_ limit: Duration) {
        self.limit = limit
        end = .now + limit
    }

    var isOver: Bool { ContinuousClock.now >= end }
    /// Keeps a loop that asks again from spinning where refusals come at once.
    func pauseBeforeRetry() { usleep(UInt32(min(50, milliseconds)) * 1000) }

    /// What is left of the limit, never less than nothing, in milliseconds.
    var milliseconds: Int32 { (end - .now).milliseconds }
}
