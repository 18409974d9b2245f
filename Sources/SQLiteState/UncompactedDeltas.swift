import Engine

/// Which rows of `delta` are not compacted yet, by task and table: who compacts or loads a group then reads its rows and no others.
///
/// It takes eight bytes a row. A store compacts before there are too many of them (`weight`).
struct UncompactedDeltas {
    /// What reading a delta costs besides its changes, as bytes: it bounds how many small ones come together.
    private static let rowWeight = 128

    /// The rows' numbers in rising order, and so in that of their epochs; a group without rows is not there.
    private(set) var rows: [CompactionGroup: [Int64]] = [:]
    /// Of all rows: their bytes, and for each what it costs to read it.
    private(set) var weight = 0

    /// `number`: greater than all that were added before.
    mutating func add(_ number: Int64, of group: CompactionGroup, bytes: Int) {
        rows[group, default: []].append(number)
        weight += bytes + UncompactedDeltas.rowWeight
    }

    /// The groups with their rows, in the order of the keyed rows.
    var inOrder: [(group: CompactionGroup, rows: [Int64])] {
        rows.sorted { ($0.key.task, $0.key.table) < ($1.key.task, $1.key.table) }.map { ($0.key, $0.value) }
    }

    /// The group's rows up to a number, in order.
    func rows(of group: CompactionGroup, through last: Int64 = .max) -> ArraySlice<Int64> {
        rows[group].map { $0.prefix { $0 <= last } } ?? []
    }

    /// Takes out the group's first rows, which have so many bytes.
    mutating func remove(first count: Int, of group: CompactionGroup, bytes: Int) {
        guard let known = rows[group] else { return }
        rows[group] = known.count > count ? Array(known.dropFirst(count)) : nil
        weight -= bytes + count * UncompactedDeltas.rowWeight
    }
}

extension UncompactedDeltas {
    /// Those of a file.
    init(in database: Database) throws {
        self.init()
        try DeltaRow.forEach(in: database) { row in
            if !row.isCompacted { add(row.number, of: row.group, bytes: row.bytes) }
        }
    }

    /// Hands over what the rows of these numbers hold, in order, each until the next.
    static func forEachChanges(of numbers: some Sequence<Int64>, in database: Database, _ body: (ByteView) throws -> Void) throws {
        let select = try Statement(database, "SELECT bytes FROM main.delta WHERE sequence = ?")
        defer { select.reset() }
        for number in numbers {
            try select.bind(.integer(number))
            guard try select.step() else {
                throw StateError(
                    .corrupt, "the state file \(database.path) is damaged: delta \(number) is not there any more; \(StateError.wayOut)")
            }
            try body(select.blob(0))
        }
    }
}
