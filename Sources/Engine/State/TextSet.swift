/// A set of texts inside a state record, for exact counts of distinct names.
///
/// Kept as it is stored, entries of (varint length, bytes) in order of arrival, so that loading and storing copy one
/// block of bytes. A few are gone through in turn, many are looked up.
///
/// It is exact up to a bound of names a record (`state.namesPerRecord`); what comes beyond it is left out, so that `count` is a
/// lower bound, and counted (`tidemark_names_left_out_total`).
public struct TextSet: Sendable {
    @usableFromInline var bytes: [UInt8] = []
    @usableFromInline var index = NameIndex()
    @usableFromInline var bound = NameBound()
    /// How many texts the set holds.
    @inlinable public var count: Int { size }
    @usableFromInline var size = 0

    public init() {}

    /// Adds a text unless it is there already.
    @inlinable
    public mutating func insert(_ text: ByteView) {
        if bytes.count < NameIndex.leastBytes {
            guard !contains(text) else { return }
            append(text)
        } else {
            insertLookedUp(text)
        }
    }

    @usableFromInline
    mutating func insertLookedUp(_ text: ByteView) {
        if !index.isBuilt { bytes.withUnsafeBytes { index.build($0, size: 0) } }
        let hash = tableHash(text, seed: .ofProcess)
        guard bytes.withUnsafeBytes({ index.find(text, hash: hash, in: $0) }) == nil, bound.takes(size) else { return }
        let offset = bytes.count
        append(text)
        bytes.withUnsafeBytes { index.add(offset, hash: hash, of: $0, size: 0) }
    }

    @inlinable
    mutating func append(_ text: ByteView) {
        appendVarint(UInt64(text.count), to: &bytes)
        bytes.append(contentsOf: text.buffer)
        size += 1
    }

    @inlinable
    public func contains(_ text: ByteView) -> Bool {
        guard size > 0 else { return false }
        return bytes.withUnsafeBytes { all in
            if index.isBuilt { return index.find(text, hash: tableHash(text, seed: .ofProcess), in: all) != nil }
            var reader = ByteReader(ByteView(all))
            while !reader.isAtEnd {
                if reader.text() == text { return true }
            }
            return false
        }
    }

    @inlinable public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        index.removeAll()
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
