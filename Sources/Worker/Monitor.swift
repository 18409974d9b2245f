import Foundation

/// A value behind a lock, with waiting for it to change.
///
/// `@unchecked Sendable`: `value` is only touched with the condition's lock held.
final class Monitor<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var value: Value

    init(_ value: sending Value) { self.value = value }

    /// Changes the value and wakes whoever waits.
    func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return try body(&value)
    }

    /// Looks at the value, waking nobody.
    func look<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        condition.lock()
        defer { condition.unlock() }
        return try body(&value)
    }

    /// Waits until `body` gives a result or `timeout` is over; nil in the latter case.
    func wait<Result>(upTo timeout: Duration, _ body: (inout Value) -> Result?) -> Result? {
        let limit = Date(timeIntervalSinceNow: max(timeout.seconds, 0))
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = body(&value) { return result }
            guard condition.wait(until: limit) else { return body(&value) }
        }
    }
}
