extension StateFieldType {
    /// A field of this type that nothing was put into, as it is stored.
    var emptyEncoding: [UInt8] { self == .signed128 ? [0, 0] : [0] }

    /// Moves `reader` past one field; it fails on what is cut off or malformed.
    func skip(_ reader: inout ByteReader) {
        switch self {
        case .bool: _ = reader.byte()
        case .unsigned, .signed, .time: _ = reader.varint()
        case .signed128: _ = reader.zigzag128()
        case .text, .textSet, .textCounts: _ = reader.text()
        case .recentNumbers:
            for _ in 0..<count(&reader) { _ = reader.varint() }
        case .bucketSums:
            let count = count(&reader)
            if count > 0 { _ = reader.varint() }
            for _ in 0..<count {
                _ = reader.varint()
                _ = reader.zigzag128()
            }
        case .lastSeenTexts:
            let count = count(&reader)
            if count > 0 { _ = reader.varint() }
            for _ in 0..<count {
                _ = reader.text()
                _ = reader.varint()
            }
        }
    }

    /// A number of entries, of which each takes at least a byte.
    private func count(_ reader: inout ByteReader) -> UInt64 {
        let count = reader.varint()
        guard count <= UInt64(reader.remaining) else {
            reader.fail()
            return 0
        }
        return count
    }
}

extension StateSchema {
    /// Finds where each field of an encoded record lies, the timer first if there is one. False when the record is
    /// damaged: cut off, too long or malformed.
    func spans(of record: ByteView, into spans: inout [ByteView]) -> Bool {
        spans.removeAll(keepingCapacity: true)
        var reader = ByteReader(record)
        if hasTimer { spans.append(span(of: .time, &reader)) }
        for field in fields { spans.append(span(of: field.type, &reader)) }
        return !reader.failed && reader.isAtEnd
    }

    private func span(of type: StateFieldType, _ reader: inout ByteReader) -> ByteView {
        let start = reader.position
        let before = reader.remaining
        type.skip(&reader)
        return ByteView(start: start, count: before - reader.remaining)
    }
}
