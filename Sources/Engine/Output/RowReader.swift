/// Reads the encoded rows of a chunk back, value by value; what a sink builds its columns from.
///
/// The caller asks for each column in the declared order, by its declared type. `failed` says that the bytes are damaged.
public struct RowReader {
    private var reader: ByteReader

    public init(_ rows: ByteView) { reader = ByteReader(rows) }

    public var failed: Bool { reader.failed }
    /// No row is left.
    public var isAtEnd: Bool { reader.isAtEnd }

    public mutating func text() -> ByteView { reader.text() }
    public mutating func count() -> UInt64 { reader.fixed() }
    public mutating func number() -> Double { Double(bitPattern: reader.fixed()) }
    public mutating func flag() -> Bool { reader.byte() != 0 }
    public mutating func time() -> EventTime { EventTime(milliseconds: reader.fixed()) }
    public mutating func amount() -> Int64 { reader.fixed() }
    public mutating func sum() -> Int128 { reader.fixed() }
    /// Encoded entries, to go through with `TextCounts.forEach(in:)`.
    public mutating func textCounts() -> ByteView { reader.text() }
    /// Encoded texts, to go through with `RowReader.forEachText(in:)`.
    public mutating func texts() -> ByteView { reader.text() }

    /// Skips one value of `type`.
    public mutating func skip(_ type: OutputType) {
        switch type {
        case .text, .textCounts, .texts: _ = reader.text()
        case .count, .number, .time, .amount: _ = reader.raw(8)
        case .sum: _ = reader.raw(16)
        case .flag: _ = reader.byte()
        }
    }

    /// Goes through the texts of a `texts` value. False when they are damaged.
    @discardableResult
    public static func forEachText(in texts: ByteView, _ body: (ByteView) -> Void) -> Bool {
        var reader = ByteReader(texts)
        while !reader.isAtEnd {
            let text = reader.text()
            if reader.failed { return false }
            body(text)
        }
        return true
    }
}
