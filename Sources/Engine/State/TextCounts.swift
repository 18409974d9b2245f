/// How often each of a few names occurred, inside a state record.
///
/// Kept as it is stored, entries of (varint length, bytes, UInt32 little-endian) in order of arrival; a count saturates
/// at `UInt32.max`. A few are gone through in turn, many are looked up.
///
/// It is exact up to a bound of names a record (`state.namesPerRecord`); what comes beyond it counts for the name `(other)`, and
/// is counted (`tidemark_names_left_out_total`).
public struct TextCounts: Sendable {
    /// Stands for all names beyond the bound.
    public static let other = "(other)"

    @usableFromInline var bytes: [UInt8] = []
    @usableFromInline var index = NameIndex()
    @usableFromInline var bound = NameBound()

    public init() {}

    @inlinable public var isEmpty: Bool { bytes.isEmpty }

    /// Counts one more occurrence of `text`.
    @inlinable
    public mutating func increment(_ text: ByteView) {
        guard bytes.count < NameIndex.leastBytes else { return incrementLookedUp(text) }
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
        if !found { append(text) }
    }

    @usableFromInline
    mutating func incrementLookedUp(_ text: ByteView) {
        if !index.isBuilt { bytes.withUnsafeBytes { index.build($0, size: 4) } }
        let hash = tableHash(text, seed: .ofProcess)
        if let offset = bytes.withUnsafeBytes({ index.find(text, hash: hash, in: $0) }) { return incrementEntry(at: offset) }
        if bound.takes(index.count) { return add(text, hash: hash) }
        // One more than the bound, once.
        Array(TextCounts.other.utf8).withUnsafeBytes { raw in
            let other = ByteView(raw)
            let hash = tableHash(other, seed: .ofProcess)
            if let offset = bytes.withUnsafeBytes({ index.find(other, hash: hash, in: $0) }) { incrementEntry(at: offset) } else { add(other, hash: hash) }
        }
    }

    private mutating func add(_ text: ByteView, hash: UInt64) {
        let offset = bytes.count
        append(text)
        if !index.add(offset, hash: hash) { bytes.withUnsafeBytes { index.build($0, size: 4) } }
    }

    private mutating func incrementEntry(at offset: Int) {
        bytes.withUnsafeMutableBytes { all in
            var reader = ByteReader(ByteView(UnsafeRawBufferPointer(rebasing: all[offset...])))
            _ = reader.text()
            let place = all.count - reader.remaining
            let old = UInt32(littleEndian: all.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            all.storeBytes(of: (old == .max ? old : old + 1).littleEndian, toByteOffset: place, as: UInt32.self)
        }
    }

    @inlinable
    mutating func append(_ text: ByteView) {
        appendVarint(UInt64(text.count), to: &bytes)
        bytes.append(contentsOf: text.buffer)
        bytes.append(1)
        bytes.append(0)
        bytes.append(0)
        bytes.append(0)
    }

    @inlinable
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        index.removeAll()
    }

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
