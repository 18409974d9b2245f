/// Large records that were met since the last cut, kept as values: one with thousands of names would otherwise be read and
/// written whole for each of its events.
///
/// Their tables list them as changed and hold them as they were; they are brought up to date before anybody else reads them. Held
/// are those used last, up to a number and to so many bytes.
@usableFromInline
struct LargeRecords<Value> {
    @usableFromInline
    struct Held {
        @usableFromInline let table: KeyedTable
        @usableFromInline let entry: Int
        @usableFromInline var value: Value
        @usableFromInline let bytes: Int
        @usableFromInline var lastUse: UInt64

        @inlinable
        init(table: KeyedTable, entry: Int, value: Value, bytes: Int, lastUse: UInt64) {
            (self.table, self.entry, self.value, self.bytes, self.lastUse) = (table, entry, value, bytes, lastUse)
        }
    }

    /// Smaller ones are read and written faster than they are looked for here.
    @usableFromInline static var leastBytes: Int { 2048 }
    /// Bounds of what is held, in encoded records.
    @usableFromInline static var most: Int { 64 }
    @usableFromInline static var mostBytes: Int { 16 << 20 }

    @usableFromInline var held: [Held] = []
    /// As they were when they were read.
    @usableFromInline var bytes = 0
    @usableFromInline var uses: UInt64 = 0

    @inlinable
    init() {}

    /// Where the record of a table's entry is held; nil when it is not.
    @inlinable
    mutating func find(_ table: KeyedTable, _ entry: Int) -> Int? {
        guard let place = held.firstIndex(where: { $0.entry == entry && $0.table === table }) else { return nil }
        uses += 1
        held[place].lastUse = uses
        return place
    }

    @inlinable
    func hasRoom(for more: Int) -> Bool { held.isEmpty || (held.count < Self.most && bytes + more <= Self.mostBytes) }

    /// The one that was used longest ago.
    @inlinable
    var oldest: Int { held.indices.min { held[$0].lastUse < held[$1].lastUse }! }

    @inlinable
    mutating func add(_ value: Value, of table: KeyedTable, _ entry: Int, bytes: Int) -> Int {
        uses += 1
        held.append(Held(table: table, entry: entry, value: value, bytes: bytes, lastUse: uses))
        self.bytes += bytes
        return held.count - 1
    }

    @inlinable
    mutating func remove(_ place: Int) {
        bytes -= held[place].bytes
        held.swapAt(place, held.count - 1)
        held.removeLast()
    }
}
