/// Finds names among entries that lie one behind the other in an array of bytes: open addressing over the entries' offsets.
///
/// It is not stored; whoever holds the entries builds it when there are many.
@usableFromInline
struct NameIndex: Sendable {
    /// Offset + 1 by hash, 0 for none; at most half full. Empty: not built.
    @usableFromInline var slots: [UInt32] = []
    @usableFromInline var count = 0

    /// Entries of fewer bytes are gone through faster than looked up.
    @usableFromInline static let leastBytes = 1024

    @usableFromInline
    init() {}

    @inlinable var isBuilt: Bool { !slots.isEmpty }

    @inlinable
    mutating func removeAll() {
        slots.removeAll(keepingCapacity: true)
        count = 0
    }

    /// Where what stands behind the name begins, in the entry with this name; nil when there is none. `entries` begin with a name each.
    @inlinable
    func find(_ name: ByteView, hash: UInt64, in entries: UnsafeRawBufferPointer) -> Int? {
        let mask = slots.count - 1
        var position = Int(truncatingIfNeeded: hash) & mask
        while slots[position] != 0 {
            let offset = Int(slots[position]) - 1
            var reader = ByteReader(ByteView(UnsafeRawBufferPointer(rebasing: entries[offset...])))
            if reader.text() == name { return entries.count - reader.remaining }
            position = (position + 1) & mask
        }
        return nil
    }

    /// Notes the last of `entries`, whose name is in none before it; `size` as in `build`.
    @inlinable
    mutating func add(_ offset: Int, hash: UInt64, of entries: UnsafeRawBufferPointer, size: Int) {
        guard (count + 1) * 2 <= slots.count else { return build(entries, size: size) }
        place(offset, hash: hash)
    }

    @inlinable
    mutating func place(_ offset: Int, hash: UInt64) {
        let mask = slots.count - 1
        var position = Int(truncatingIfNeeded: hash) & mask
        while slots[position] != 0 { position = (position + 1) & mask }
        slots[position] = UInt32(offset + 1)
        count += 1
    }

    /// Builds it of all `entries`, each a name and `size` bytes, with room for as many again.
    @inlinable
    mutating func build(_ entries: UnsafeRawBufferPointer, size: Int) {
        var names = 0
        var reader = ByteReader(ByteView(entries))
        while !reader.isAtEnd {
            _ = reader.text()
            _ = reader.raw(size)
            names += 1
        }
        var capacity = 64
        while capacity < names * 4 { capacity *= 2 }
        slots = Array(repeating: 0, count: capacity)
        count = 0
        reader = ByteReader(ByteView(entries))
        while !reader.isAtEnd {
            let offset = entries.count - reader.remaining
            let hash = tableHash(reader.text(), seed: .ofProcess)
            _ = reader.raw(size)
            place(offset, hash: hash)
        }
    }
}
