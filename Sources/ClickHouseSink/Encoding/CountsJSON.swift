import Engine

/// Writes counts by name as a JSON object with its names sorted byte-wise, so that equal counts give equal texts.
struct CountsJSON: ~Copyable {
    private var text = ByteWriter(capacity: 256)
    private var entries: [(name: ByteView, count: UInt32)] = []

    /// The object, valid until the next call; nil when the encoded counts are damaged.
    mutating func object(_ counts: ByteView) -> ByteView? {
        entries.removeAll(keepingCapacity: true)
        var isSorted = true
        let isWhole = TextCounts.forEach(in: counts) { name, count in
            if let last = entries.last, name < last.name { isSorted = false }
            entries.append((name, count))
        }
        guard isWhole else { return nil }
        if !isSorted { entries.sort { $0.name < $1.name } }
        text.removeAll()
        text.write(byte: UInt8(ascii: "{"))
        for index in entries.indices {
            if index > 0 { text.write(byte: UInt8(ascii: ",")) }
            write(quoted: entries[index].name)
            text.write(byte: UInt8(ascii: ":"))
            write(decimal: entries[index].count)
        }
        text.write(byte: UInt8(ascii: "}"))
        return text.view
    }

    private mutating func write(quoted name: ByteView) {
        text.write(byte: UInt8(ascii: "\""))
        for byte in name.buffer {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.write(byte: UInt8(ascii: "\\"))
                text.write(byte: byte)
            case 0..<0x20:
                for escape in "\\u00".utf8 { text.write(byte: escape) }
                text.write(byte: CountsJSON.digits[Int(byte >> 4)])
                text.write(byte: CountsJSON.digits[Int(byte & 15)])
            default:
                text.write(byte: byte)
            }
        }
        text.write(byte: UInt8(ascii: "\""))
    }

    private static let digits = [UInt8]("0123456789abcdef".utf8)

    private mutating func write(decimal number: UInt32) {
        var divisor: UInt32 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            text.write(byte: UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
