/// Divisions of the exact sums that state records hold, as shown in rows.
enum Quotient {
    /// The mean of `count` amounts in cents, halves away from zero.
    static func mean(cents sum: Int128, of count: UInt64) -> Int64 {
        let divisor = Int128(count)
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: divisor)
        guard 2 * remainder.magnitude >= divisor.magnitude else { return Int64(quotient) }
        return Int64(quotient) + (sum < 0 ? -1 : 1)
    }

    /// One IEEE division of two exact integers.
    static func ratio(_ numerator: Int128, _ denominator: Int128) -> Double { Double(numerator) / Double(denominator) }

    /// The share of `part` in `whole`.
    static func ratio(_ part: UInt64, of whole: UInt64) -> Double { Double(part) / Double(whole) }
}
