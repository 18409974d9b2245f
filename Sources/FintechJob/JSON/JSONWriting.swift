import Engine

extension ByteWriter {
    mutating func write(_ text: StaticString) { write(raw: ByteView(text)) }

    /// A JSON string; `null` for the null view. The text is valid UTF-8.
    mutating func write(jsonString text: ByteView) {
        guard !text.isNull else { write("null"); return }
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

    /// An amount of money as a JSON string with two decimals.
    mutating func write(jsonMoney cents: Int64) {
        write(byte: UInt8(ascii: "\""))
        if cents < 0 { write(byte: UInt8(ascii: "-")) }
        var place: UInt64 = 100
        while cents.magnitude / place >= 10 { place *= 10 }
        while place > 0 {
            if place == 10 { write(byte: UInt8(ascii: ".")) }
            write(byte: UInt8(ascii: "0") + UInt8(cents.magnitude / place % 10))
            place /= 10
        }
        write(byte: UInt8(ascii: "\""))
    }
}
