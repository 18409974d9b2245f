import Foundation

/// Thrown when a condition did not come true in time; the test fails with its text.
package struct WaitedTooLong: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Waits for a condition that is bound to come true, looking every few milliseconds; the limit only ends broken tests.
package func waitUntil(_ what: String, within seconds: Double = 60, _ condition: () throws -> Bool) throws {
    let limit = Date().addingTimeInterval(seconds)
    while try !condition() {
        if Date() > limit { throw WaitedTooLong(description: "waited \(seconds) s in vain: \(what)") }
        usleep(10_000)
    }
}
