import Engine

/// Records that decode, and whose numbers are at their limits.
package enum ExtremeRecords {
    /// Of a schema: every field at its least, every field at its greatest, and lists of several such.
    package static func records(_ schema: StateSchema) -> [[UInt8]] {
        (0..<3).map { extreme in
            var writer = ByteWriter()
            if schema.hasTimer { writer.write(zigzag: [Int64.min, .max - 1, .max][extreme]) }
            for field in schema.fields { write(field.type, extreme, into: &writer) }
            return writer.copy()
        }
    }

    private static func write(_ type: StateFieldType, _ extreme: Int, into writer: inout ByteWriter) {
        let isLeast = extreme == 0
        switch type {
        case .bool: writer.write(byte: isLeast ? 0 : 1)
        case .unsigned: writer.write(varint: isLeast ? 0 : .max)
        case .signed, .time: writer.write(zigzag: isLeast ? .min : .max)
        case .signed128: writer.write(zigzag128: isLeast ? .min : .max)
        case .text: write(text: isLeast ? [] : Array("\u{600}'".utf8), into: &writer)
        case .textSet:
            var entries = ByteWriter()
            for name in ["", "\u{600}\"", "a"] { write(text: Array(name.utf8), into: &entries) }
            write(text: entries.copy(), into: &writer)
        case .textCounts:
            var entries = ByteWriter()
            for name in ["", "\u{600}\"", "a"] {
                write(text: Array(name.utf8), into: &entries)
                for _ in 0..<4 { entries.write(byte: isLeast ? 0 : 255) }
            }
            write(text: entries.copy(), into: &writer)
        case .recentNumbers:
            writer.write(varint: 3)
            for number in [Int64.min, -1, isLeast ? .min : .max] { writer.write(zigzag: number) }
        case .bucketSums:
            writer.write(varint: 3)
            writer.write(zigzag: isLeast ? .min : .max)
            for distance in [0, UInt64.max, 1 << 63] {
                writer.write(varint: distance)
                writer.write(zigzag128: isLeast ? .min : .max)
            }
        case .lastSeenTexts:
            writer.write(varint: 3)
            writer.write(zigzag: isLeast ? .min : .max)
            for (name, distance) in [("", 0), ("\u{600}\"", UInt64.max), ("a", 1 << 63)] {
                write(text: Array(name.utf8), into: &writer)
                writer.write(varint: distance)
            }
        }
    }

    private static func write(text: [UInt8], into writer: inout ByteWriter) {
        writer.write(varint: UInt64(text.count))
        text.withUnsafeBytes { writer.write(raw: ByteView($0)) }
    }
}
