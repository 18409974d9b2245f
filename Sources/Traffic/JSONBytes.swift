import Engine

/// Pieces of JSON as bytes; no `String` is made on the way.
extension ByteWriter {
    mutating func write(_ text: StaticString) {
        write(raw: ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Decimal digits.
    mutating func write(number: Int) {
        if number < 0 {
            write(byte: UInt8(ascii: "-"))
            return write(number: -number)
        }
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            write(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Exactly `width` decimal digits, zeros in front.
    mutating func write(number: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            write(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// A count of hundredths with its two decimals, without quotes.
    mutating func write(hundredths: Int) {
        write(number: hundredths / 100)
        write(byte: UInt8(ascii: "."))
        write(number: hundredths % 100, width: 2)
    }

    /// A count of millionths, which may be negative, with its six decimals.
    mutating func write(millionths: Int) {
        if millionths < 0 { write(byte: UInt8(ascii: "-")) }
        let magnitude = abs(millionths)
        write(number: magnitude / 1_000_000)
        write(byte: UInt8(ascii: "."))
        write(number: magnitude % 1_000_000, width: 6)
    }

    /// The lowest `digits` hexadecimal digits of a number.
    mutating func write(hex number: UInt64, digits: Int, upperCase: Bool = false) {
        let letters = UInt8(ascii: upperCase ? "A" : "a") - 10
        var shift = UInt64(digits - 1) * 4
        for _ in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: number >> shift) & 15
            write(byte: digit < 10 ? UInt8(ascii: "0") + digit : letters + digit)
            shift = shift &- 4
        }
    }

    /// A version 4 UUID of these random bits.
    mutating func write(uuid bits: (UInt64, UInt64)) {
        write(hex: bits.0 >> 32, digits: 8)
        write(byte: UInt8(ascii: "-"))
        write(hex: bits.0 >> 16, digits: 4)
        write("-4")
        write(hex: bits.0, digits: 3)
        write(byte: UInt8(ascii: "-"))
        write(hex: 8 | (bits.1 >> 60) & 3, digits: 1)
        write(hex: bits.1 >> 48, digits: 3)
        write(byte: UInt8(ascii: "-"))
        write(hex: bits.1, digits: 12)
    }

    /// `2025-01-15T12:00:00.450000Z`, as Debezium writes a `timestamptz`.
    mutating func write(time: EventTime) {
        let day = time.milliseconds.floorDivided(by: 86_400_000)
        let date = CivilDate(daysSince1970: day)
        let millisecond = Int(time.milliseconds - day * 86_400_000)
        write(number: Int(date.year), width: 4)
        write(byte: UInt8(ascii: "-"))
        write(number: Int(date.month), width: 2)
        write(byte: UInt8(ascii: "-"))
        write(number: Int(date.day), width: 2)
        write(byte: UInt8(ascii: "T"))
        write(number: millisecond / 3_600_000, width: 2)
        write(byte: UInt8(ascii: ":"))
        write(number: millisecond / 60_000 % 60, width: 2)
        write(byte: UInt8(ascii: ":"))
        write(number: millisecond / 1000 % 60, width: 2)
        write(byte: UInt8(ascii: "."))
        write(number: millisecond % 1000, width: 3)
        write("000Z")
    }
}
