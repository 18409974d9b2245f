import Engine

/// Reads runs of digits and single characters of a text.
struct DigitReader {
    private var at: Int = 0
    private let text: ByteView
    /// Exponents are cut to this many either way: further than any text has digits.
    private static let exponentLimit = 1 << 40

    init(_ text: ByteView) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    @inline(__always)
    mutating func take(_ character: UInt8) -> Bool {
        guard at < text.count, text[at] == character else { return false }
        at += 1
        return true
    }

    /// All digits from here on; none is an empty view.
    @inline(__always)
    mutating func digits() -> ByteView {
        let start = at
        while at < text.count, text[at] &- UInt8(ascii: "0") < 10 { at += 1 }
        return ByteView(start: text.start.map { $0 + start }, count: at - start)
    }

    /// Exactly `count` digits as a number, nil when they are not there.
    @inline(__always)
    mutating func number(digits count: Int) -> Int64? {
        guard text.count - at >= count else { return nil }
        var number: Int64 = 0
        for _ in 0..<count {
            let digit = text[at] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number &* 10 &+ Int64(digit)
            at += 1
        }
        return number
    }

    /// What follows an exponent's `e`: a sign, or none, and digits.
    mutating func exponent() -> Int? {
        let isNegative = take(UInt8(ascii: "-"))
        if !isNegative { _ = take(UInt8(ascii: "+")) }
        let digits = digits()
        guard digits.count > 0 else { return nil }
        var exponent = 0
        for digit in digits.buffer where exponent < DigitReader.exponentLimit {
            exponent = exponent * 10 + Int(digit - UInt8(ascii: "0"))
        }
        exponent = min(exponent, DigitReader.exponentLimit)
        return isNegative ? -exponent : exponent
    }
}
