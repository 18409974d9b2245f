import Engine

/// Decimals with two places as exact counts of hundredths: cents of money, hundredths of a risk score.
enum Hundredths {
    /// Counts from here on, 10^12 units either way, are out of range.
    static let limit: Int64 = 100_000_000_000_000

    /// A decimal's text, as Debezium and JSON write it: `-?[0-9]+(\.[0-9]+)?`, with or without an exponent. Further places round, halves
    /// away from zero; nil for any other text and out of range.
    static func read(_ text: ByteView) -> Int64? {
        var reader = DigitReader(text)
        let isNegative = reader.take(UInt8(ascii: "-"))
        let whole = reader.digits()
        guard whole.count > 0 else { return nil }
        var fraction = ByteView.null
        if reader.take(UInt8(ascii: ".")) {
            fraction = reader.digits()
            guard fraction.count > 0 else { return nil }
        }
        var exponent = 0
        if reader.take(UInt8(ascii: "e")) || reader.take(UInt8(ascii: "E")) {
            guard let read = reader.exponent() else { return nil }
            exponent = read
        }
        guard reader.isAtEnd, let magnitude = magnitude(whole, fraction, exponent) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// An unscaled value's bytes, in two's complement, the greatest first, with `scale` decimal places; nil out of range.
    static func read(unscaled bytes: ByteView, scale: Int) -> Int64? {
        guard bytes.count > 0 else { return nil }
        let isNegative = bytes[0] & 0x80 != 0
        let padding: UInt8 = isNegative ? 0xFF : 0
        var start = 0
        while start < bytes.count - 1, bytes[start] == padding, bytes[start + 1] & 0x80 == padding & 0x80 { start += 1 }
        guard bytes.count - start <= 16 else { return nil }
        var value: Int128 = isNegative ? -1 : 0
        for index in start..<bytes.count { value = value << 8 | Int128(bytes[index]) }
        return read(value, scale: scale)
    }

    /// `value` with `scale` decimal places; nil out of range.
    static func read(_ value: Int128, scale: Int) -> Int64? {
        guard (-127...127).contains(scale), value > .min else { return nil }
        var magnitude = abs(value)
        if scale > 2 {
            var last: Int128 = 0
            for _ in 2..<scale { (magnitude, last) = (magnitude / 10, magnitude % 10) }
            if last >= 5 { magnitude += 1 }
        } else {
            for _ in scale..<2 where magnitude > 0 {
                guard magnitude < Int128(limit) else { return nil }
                magnitude *= 10
            }
        }
        guard magnitude < Int128(limit) else { return nil }
        return Int64(value < 0 ? -magnitude : magnitude)
    }

    /// The digits `whole.fraction` times 10^`exponent`, in hundredths; nil from `limit` on.
    private static func magnitude(_ whole: ByteView, _ fraction: ByteView, _ exponent: Int) -> Int64? {
        // So many digits stand before the hundredths' end; the one after them decides the rounding.
        let kept = whole.count + exponent + 2
        var magnitude: Int64 = 0
        guard append(whole.prefix(max(kept, 0)), to: &magnitude), append(fraction.prefix(max(kept - whole.count, 0)), to: &magnitude) else {
            return nil
        }
        guard kept < whole.count + fraction.count else {
            return shifted(magnitude, places: kept - whole.count - fraction.count)
        }
        if kept >= 0 {
            let next = kept < whole.count ? whole[kept] : fraction[kept - whole.count]
            if next >= UInt8(ascii: "5") { magnitude += 1 }
        }
        return magnitude < limit ? magnitude : nil
    }

    /// False from `limit` on.
    @inline(__always)
    private static func append(_ digits: ByteView, to magnitude: inout Int64) -> Bool {
        for digit in digits.buffer {
            magnitude = magnitude * 10 + Int64(digit - UInt8(ascii: "0"))
            guard magnitude < limit else { return false }
        }
        return true
    }

    private static func shifted(_ magnitude: Int64, places: Int) -> Int64? {
        guard magnitude > 0 else { return 0 }
        var shifted = magnitude
        for _ in 0..<places {
            shifted *= 10
            guard shifted < limit else { return nil }
        }
        return shifted
    }
}
