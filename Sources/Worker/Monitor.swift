import Glibc

/// A value behind a lock, with waiting for it to change.
///
/// Waits go by the monotonic clock: by the wall clock (as Foundation's conditions wait), setting it back an hour would
/// let a wait of half a second take an hour.
///
/// `@unchecked Sendable`: `value` is only touched with the lock held; the pointers never change and are freed in `deinit`.
final class Monitor<Value>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        defer { pthread_condattr_destroy(&attributes) }
        let hasClock = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0
        let isMade = pthread_mutex_init(lock, nil) == 0 && pthread_cond_init(condition, &attributes) == 0
        precondition(hasClock && isMade, "the system gave no lock")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(lock)
        condition.deallocate()
        lock.deallocate()
    }

    /// Changes the value and wakes whoever waits.
    func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(lock)
        }
        return try body(&value)
    }

    /// Looks at the value, waking nobody.
    func look<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }

    /// Waits until `body` gives a result or `timeout` is over; nil in the latter case.
    func wait<Result>(upTo timeout: Duration, _ body: (inout Value) -> Result?) -> Result? {
        var limit = Monitor.monotonicTime(after: timeout)
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            if let result = body(&value) { return result }
            guard pthread_cond_timedwait(condition, lock, &limit) == 0 else { return body(&value) }
        }
    }

    private static func monotonicTime(after timeout: Duration) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let (seconds, attoseconds) = max(timeout, .zero).components
        let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
        return timespec(tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}
