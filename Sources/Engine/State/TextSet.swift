/// A set of texts inside a state record, for exact counts of distinct names.
///
/// Kept as it is stored, entries of (varint length, bytes) in order of arrival, so that loading and storing copy one
/// block of bytes. Looking a text up reads the entries in turn: made for the few names of one key in one window.
public struct TextSet: Sendable {
    @usableFromInline var bytes: [UInt8] = []
    /// How many texts the set holds.
    @inlinable public var count: Int { size }
    @usableFromInline var size = 0

    public init() {}

    /// Adds a text unless it is there already.
    @inlinable
    public mutating func insert(_ text: ByteView) {
        guard !contains(text) else { return }
        appendVarint(UInt64(text.count), to: &bytes)
        bytes.append(contentsOf: text.buffer)
        size += 1
    }

    @inlinable
    public func contains(_ text: ByteView) -> Bool {
        guard size > 0 else { return false }
        return bytes.withUnsafeBytes { all in
            var reader = ByteReader(ByteView(all))
            while !reader.isAtEnd {
                if reader.text() == text { return true }
            }
            return false
        }
    }

    @inlinable public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        size = 0
    }

    @inlinable func encode(into writer: inout ByteWriter) {
        bytes.withUnsafeBytes { writer.write(text: ByteView($0)) }
    }

    @inlinable mutating func decode(from reader: inout ByteReader) {
        removeAll()
        let block = reader.text()
        bytes.append(contentsOf: block.buffer)
        var entries = ByteReader(block)
        while !entries.isAtEnd {
            _ = entries.text()
            size += 1
        }
        if entries.failed { reader.fail() }
    }
}

/// Appends a LEB128 varint to an array.
@inlinable
func appendVarint(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
}
