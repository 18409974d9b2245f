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

    /// The bytes of a count.
    @usableFromInline static var countSize: Int { 4 }

    @usableFromInline var bytes: [UInt8] = []
    @usableFromInline var index = NameIndex()
    @usableFromInline var bound = NameBound()

    public init() {}

    @inlinable public var isEmpty: Bool { bytes.isEmpty }

    /// Counts one more occurrence of `text`.
    @inlinable
    public mutating func increment(_ text: ByteView) {
        guard bytes.count < NameIndex.leastBytes else { return incrementLookedUp(text) }
        let place = bytes.withUnsafeBytes { all -> Int? in
            var reader = ByteReader(ByteView(all))
            while !reader.isAtEnd {
                if reader.text() == text { return all.count - reader.remaining }
                _ = reader.raw(TextCounts.countSize)
            }
            return nil
        }
        if let place { raise(at: place) } else { append(text) }
    }

    @usableFromInline
    mutating func incrementLookedUp(_ text: ByteView) {
        if !index.isBuilt { bytes.withUnsafeBytes { index.build($0, size: TextCounts.countSize) } }
        let hash = tableHash(text, seed: .ofProcess)
        if let place = bytes.withUnsafeBytes({ index.find(text, hash: hash, in: $0) }) { return raise(at: place) }
        if bound.takes(index.count) { return add(text, hash: hash) }
        // One more than the bound, once.
        Array(TextCounts.other.utf8).withUnsafeBytes { raw in
            let other = ByteView(raw)
            let hash = tableHash(other, seed: .ofProcess)
            if let place = bytes.withUnsafeBytes({ index.find(other, hash: hash, in: $0) }) {
                raise(at: place)
            } else {
                add(other, hash: hash)
            }
        }
    }

    private mutating func add(_ text: ByteView, hash: UInt64) {
        let offset = bytes.count
        append(text)
        bytes.withUnsafeBytes { index.add(offset, hash: hash, of: $0, size: TextCounts.countSize) }
    }

    /// Counts one more where a count is stored.
    @inlinable
    mutating func raise(at place: Int) {
        bytes.withUnsafeMutableBytes { all in
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
            guard let leader = best else {
                best = (name, count)
                return
            }
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
