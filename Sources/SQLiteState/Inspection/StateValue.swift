import Engine

/// A field of a stored record, read by its schema alone.
package enum StateValue: Equatable, Sendable {
    case bool(Bool)
    case unsigned(UInt64)
    case signed(Int64)
    case signed128(Int128)
    case time(EventTime)
    /// Bytes that the job took for text; nothing promises that they are UTF-8.
    case text([UInt8])
    /// In order of arrival.
    case textSet([[UInt8]])
    /// In order of arrival.
    case textCounts([TextCount])
    /// Oldest first.
    case recentNumbers([Int64])
    /// In order of arrival.
    case bucketSums([BucketSum])
    /// In order of arrival.
    case lastSeenTexts([LastSeen])

    package struct TextCount: Equatable, Sendable {
        package let text: [UInt8]
        package let count: UInt32
    }

    package struct BucketSum: Equatable, Sendable {
        package let bucket: Int64
        package let sum: Int128
    }

    package struct LastSeen: Equatable, Sendable {
        package let text: [UInt8]
        package let time: EventTime
    }
}

extension StateValue {
    /// Reads a value as `StateFieldType` says it is stored; sets the reader's `failed` when the bytes are damaged.
    init(_ type: StateFieldType, from reader: inout ByteReader) {
        self =
            switch type {
            case .bool: .bool(reader.byte() != 0)
            case .unsigned: .unsigned(reader.varint())
            case .signed: .signed(reader.zigzag())
            case .signed128: .signed128(reader.zigzag128())
            case .time: .time(EventTime(milliseconds: reader.zigzag()))
            case .text: .text(reader.text().copy())
            case .textSet: .textSet(StateValue.texts(from: &reader))
            case .textCounts: .textCounts(StateValue.counts(from: &reader))
            case .recentNumbers: .recentNumbers(StateValue.numbers(from: &reader))
            case .bucketSums: .bucketSums(StateValue.sums(from: &reader))
            case .lastSeenTexts: .lastSeenTexts(StateValue.lastSeen(from: &reader))
            }
    }

    private static func texts(from reader: inout ByteReader) -> [[UInt8]] {
        var entries = ByteReader(reader.text())
        var texts: [[UInt8]] = []
        while !entries.isAtEnd { texts.append(entries.text().copy()) }
        if entries.failed { reader.failed = true }
        return texts
    }

    private static func counts(from reader: inout ByteReader) -> [TextCount] {
        var counts: [TextCount] = []
        let isWhole = TextCounts.forEach(in: reader.text()) { counts.append(TextCount(text: $0.copy(), count: $1)) }
        if !isWhole { reader.failed = true }
        return counts
    }

    /// The count that leads a list; each of its entries takes at least a byte.
    private static func count(from reader: inout ByteReader) -> UInt64 {
        let count = reader.varint()
        guard count <= UInt64(reader.remaining) else {
            reader.failed = true
            return 0
        }
        return count
    }

    private static func numbers(from reader: inout ByteReader) -> [Int64] {
        var number: Int64 = 0
        return (0..<count(from: &reader)).map { _ in
            number &+= reader.zigzag()
            return number
        }
    }

    private static func sums(from reader: inout ByteReader) -> [BucketSum] {
        let count = count(from: &reader)
        guard count > 0 else { return [] }
        let greatest = reader.zigzag()
        return (0..<count).map { _ in
            let bucket = greatest &- Int64(bitPattern: reader.varint())
            return BucketSum(bucket: bucket, sum: reader.zigzag128())
        }
    }

    private static func lastSeen(from reader: inout ByteReader) -> [LastSeen] {
        let count = count(from: &reader)
        guard count > 0 else { return [] }
        let greatest = reader.zigzag()
        return (0..<count).map { _ in
            let text = reader.text().copy()
            return LastSeen(text: text, time: EventTime(milliseconds: greatest &- Int64(bitPattern: reader.varint())))
        }
    }
}
