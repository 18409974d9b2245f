import Engine

/// What stored counts and sums can be, so that adding on, means and comparisons never overflow: money is never silently wrong, and
/// a record that says otherwise is damage.
enum SoundTotals {
    /// 2.8 * 10^14 of anything.
    private static let mostCounted: UInt64 = 1 << 48

    static func areCounts(_ counts: UInt64...) -> Bool { counts.allSatisfy { $0 <= mostCounted } }

    /// Amounts of a transaction or a profile.
    static func areAmounts(_ amounts: Int64...) -> Bool { amounts.allSatisfy { $0.magnitude < Hundredths.limit.magnitude } }

    /// The sum of so many amounts.
    static func isSum(_ sum: Int128, of count: UInt64) -> Bool { sum.magnitude <= UInt128(count) * UInt128(Hundredths.limit) }
}
