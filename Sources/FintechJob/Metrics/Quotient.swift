/// Divisions of the exact sums that state records hold, as shown in rows.
///
/// Sums that fit 64 bits, which nearly all do, are divided as such: the standard library's 128-bit conversions and
/// divisions are many times slower.
enum Quotient {
    /// The mean of `count` amounts in cents, halves away from zero.
    static func mean(cents sum: Int128, of count: UInt64) -> Int64 {
        if let sum = narrowed(sum), let count = narrowed(Int128(count)) { return mean(sum, count) }
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: Int128(count))
        let isHalfOrMore = 2 * remainder.magnitude >= UInt128(count)
        return Int64(quotient) + (isHalfOrMore ? Int64(sum.signum()) : 0)
    }

    private static func mean(_ sum: Int64, _ count: Int64) -> Int64 {
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: count)
        let isHalfOrMore = remainder.magnitude >= count.magnitude - remainder.magnitude
        return quotient + (isHalfOrMore ? sum.signum() : 0)
    }

    /// One IEEE division of two exact integers.
    static func ratio(_ numerator: Int128, _ denominator: Int128) -> Double { double(numerator) / double(denominator) }

    /// The share of `part` in `whole`.
    static func ratio(_ part: UInt64, of whole: UInt64) -> Double { Double(part) / Double(whole) }

    private static func double(_ number: Int128) -> Double { narrowed(number).map { Double($0) } ?? Double(number) }

    /// The same number in 64 bits, if it fits.
    @inline(__always)
    private static func narrowed(_ number: Int128) -> Int64? {
        let low = unsafeBitCast(number, to: SIMD2<Int64>.self).x
        return Int128(low) == number ? low : nil
    }
}
