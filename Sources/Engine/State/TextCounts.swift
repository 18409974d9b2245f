/// How often each of a few names occurred, inside a state record.
///
/// Kept as it is stored, entries of (varint length, bytes, UInt32 little-endian) in order of arrival; a count saturates
/// at `UInt32.max`.
public struct TextCounts: Sendable {
    @usableFromInline var bytes: [UInt8] = []

    public init() {}

    @inlinable public var isEmpty: Bool { bytes.isEmpty }

    /// Counts one more occurrence of `text`.
    @inlinable
    public mutating func increment(_ text: ByteView) {
        let found = bytes.withUnsafeMutableBytes { all -> Bool in
            var reader = ByteReader(ByteView(UnsafeRawBufferPointer(all)))
            while !reader.isAtEnd {
                let name = reader.text()
                if name == text {
                    let offset = all.count - reader.remaining
                    let old = UInt32(littleEndian: all.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                    let new = old == .max ? old : old + 1
                    all.storeBytes(of: new.littleEndian, toByteOffset: offset, as: UInt32.self)
                    return true
                }
                _ = reader.raw(4)
            }
            return false
        }
        guard !found else { return }
        appendVarint(UInt64(text.count), to: &bytes)
        bytes.append(contentsOf: text.buffer)
        bytes.append(1)
        bytes.append(0)
        bytes.append(0)
        bytes.append(0)
    }

    @inlinable public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// The entries as they are stored, for a row's column of counts; valid until the counts change.
    @inlinable public var encodedEntries: ByteView {
        bytes.withUnsafeBufferPointer { ByteView(start: $0.baseAddress, count: $0.count) }
    }

    /// The name with the greatest count, of a tie the byte-wise smallest; nil when nothing was counted.
    public var mostFrequent: ByteView? {
        var best: (name: ByteView, count: UInt32)?
        TextCounts.forEach(in: encodedEntries) { name, count in
            guard let leader = best else { best = (name, count); return }
            if count > leader.count || (count == leader.count && name < leader.name) { best = (name, count) }
        }
        return best?.name
    }

    /// Goes through encoded entries in order of arrival. False when they are damaged.
    @discardableResult
    @inlinable
    public static func forEach(in entries: ByteView, _ body: (_ name: ByteView, _ count: UInt32) -> Void) -> Bool {
        var reader = ByteReader(entries)
        while !reader.isAtEnd {
            let name = reader.text()
            let count: UInt32 = reader.fixed()
            if reader.failed { return false }
            body(name, count)
        }
        return true
    }

    @inlinable func encode(into writer: inout ByteWriter) {
        bytes.withUnsafeBytes { writer.write(text: ByteView($0)) }
    }

    @inlinable mutating func decode(from reader: inout ByteReader) {
        removeAll()
        let block = reader.text()
        bytes.append(contentsOf: block.buffer)
        if !TextCounts.forEach(in: block, { _, _ in }) { reader.fail() }
    }
}
