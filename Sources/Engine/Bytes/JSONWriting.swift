extension ByteWriter {
    package mutating func write(_ text: StaticString) { write(raw: ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount)) }

    /// A JSON string; `null` for the null view. The text is valid UTF-8.
    package mutating func write(jsonString text: ByteView) {
        guard !text.isNull else {
            write("null")
            return
        }
        write(byte: UInt8(ascii: "\""))
        for byte in text.buffer {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                write(byte: UInt8(ascii: "\\"))
                write(byte: byte)
            case ..<0x20:
                write("\\u00")
                write(byte: UInt8(ascii: "0") + byte >> 4)
                write(byte: byte & 0xF < 10 ? UInt8(ascii: "0") + byte & 0xF : UInt8(ascii: "a") + byte & 0xF - 10)
            default: write(byte: byte)
            }
        }
        write(byte: UInt8(ascii: "\""))
    }

    /// A JSON string of any bytes: what is no UTF-8 becomes U+FFFD.
    package mutating func write(jsonStringOfAnyBytes text: ByteView) {
        if text.buffer.allSatisfy({ $0 < 0x80 }) { return write(jsonString: text) }
        var repaired = text.text
        repaired.withUTF8 { write(jsonString: ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A whole number in decimal digits, the least number of them but no fewer than `digits`.
    package mutating func write<Number: UnsignedInteger & FixedWidthInteger>(decimal number: Number, digits: Int = 1) {
        var place: Number = 1
        var count = 1
        while number / place >= 10 || count < digits {
            place *= 10
            count += 1
        }
        while place > 0 {
            write(byte: UInt8(ascii: "0") + UInt8(number / place % 10))
            place /= 10
        }
    }

    /// An amount of money as a JSON string with two decimals.
    package mutating func write(jsonMoney cents: Int64) { write(jsonMoneyOf: cents.magnitude, isNegative: cents < 0) }

    /// A sum of money in the same form.
    package mutating func write(jsonMoney cents: Int128) { write(jsonMoneyOf: cents.magnitude, isNegative: cents < 0) }

    private mutating func write<Number: UnsignedInteger & FixedWidthInteger>(jsonMoneyOf cents: Number, isNegative: Bool) {
        write(byte: UInt8(ascii: "\""))
        if isNegative { write(byte: UInt8(ascii: "-")) }
        write(decimal: cents / 100)
        write(byte: UInt8(ascii: "."))
        write(decimal: cents % 100, digits: 2)
        write(byte: UInt8(ascii: "\""))
    }

    /// A JSON number that reads back as the same Double; `null` where there is none (infinities, not a number).
    package mutating func write(jsonNumber number: Double) {
        guard number.isFinite else { return write("null") }
        var text = number.description
        text.withUTF8 { write(raw: ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A JSON string such as `"2025-01-15T12:00:00.250Z"`: ISO 8601 with milliseconds, in UTC. Years 0 to 9999; `null`
    /// beyond those.
    package mutating func write(jsonTime time: EventTime) {
        let date = CivilDate(daysSince1970: time.milliseconds.floorDivided(by: 86_400_000))
        guard 0...9999 ~= date.year else { return write("null") }
        let ofDay = UInt64(time.milliseconds.floorRemainder(by: 86_400_000))
        write(byte: UInt8(ascii: "\""))
        write(decimal: UInt64(date.year), digits: 4)
        write("-")
        write(decimal: UInt64(date.month), digits: 2)
        write("-")
        write(decimal: UInt64(date.day), digits: 2)
        write("T")
        write(decimal: ofDay / 3_600_000, digits: 2)
        write(":")
        write(decimal: ofDay / 60_000 % 60, digits: 2)
        write(":")
        write(decimal: ofDay / 1000 % 60, digits: 2)
        write(".")
        write(decimal: ofDay % 1000, digits: 3)
        write("Z\"")
    }
}

/// A text as JSON writes it, in quotes; what could end a line, hide in one, or mean something to a terminal is escaped.
package func quotedJSON(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\t": quoted += "\\t"
        case _ where scalar.isUnprintable: quoted += scalar.jsonEscape
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
