import Foundation

/// The worker's clocks.
enum Clock {
    private static let origin = ContinuousClock.now

    /// Time since the process began to look, never going back.
    static var now: Duration { ContinuousClock.now - origin }

    /// Milliseconds since 1970 UTC.
    static var wallMilliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}

extension Duration {
    /// The duration in seconds, for the calls that want a `Double`.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    /// The duration for people, in milliseconds: `0.210 s`.
    var text: String { String(format: "%.3f s", seconds) }
}
