import Foundation

/// Times as texts.
enum ISO8601 {
    /// Milliseconds since 1970 of `2026-09-01T10:00Z`: an offset or Z is needed, seconds and their fraction may be missing.
    static func milliseconds(_ text: Substring) -> Int64? {
        let pattern = /(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)/
        guard let match = text.wholeMatch(of: pattern), match.3 == nil || match.2 != nil else { return nil }
        let whole = "\(match.1)\(match.2 ?? ":00")\(match.4)"
        guard let date = try? Date(whole, strategy: .iso8601) else { return nil }
        let fraction = match.3.flatMap { Int64(($0 + "00").prefix(3)) } ?? 0
        return Int64(date.timeIntervalSince1970.rounded(.down)) * 1000 + fraction
    }
}
