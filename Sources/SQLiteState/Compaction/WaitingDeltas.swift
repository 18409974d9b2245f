/// Which rows of `delta` are not compacted yet, by group: who compacts or loads a group then reads its rows and no others.
///
/// It takes eight bytes a row. A store compacts before there are too many of them (`weight`).
struct WaitingDeltas {
    /// What reading a delta costs besides its changes, as bytes: it bounds how many small ones come together.
    private static let rowWeight = 128

    /// The rows' numbers in rising order, and so in that of their epochs; a group without rows is not there.
    private(set) var rows: [RecordGroup: [Int64]] = [:]
    /// Of all rows: their bytes, and for each what it costs to read it.
    private(set) var weight = 0

    init() {}

    /// Those of a file.
    init(_ log: DeltaLog) throws {
        try log.forEachRow { row in
            if !row.isCompacted { add(row.number, of: row.group, bytes: row.bytes) }
        }
    }

    /// `number`: greater than all that were added before.
    mutating func add(_ number: Int64, of group: RecordGroup, bytes: Int) {
        rows[group, default: []].append(number)
        weight += bytes + WaitingDeltas.rowWeight
    }

    /// The groups with their rows, in the order of the keyed rows.
    var inOrder: [(group: RecordGroup, rows: [Int64])] {
        rows.sorted { ($0.key.task, $0.key.table) < ($1.key.task, $1.key.table) }.map { ($0.key, $0.value) }
    }

    /// The group's rows up to a number, in order.
    func rows(of group: RecordGroup, through last: Int64 = .max) -> ArraySlice<Int64> { rows[group].map { $0.prefix { $0 <= last } } ?? [] }

    /// Takes out the group's first rows, which have so many bytes.
    mutating func remove(first count: Int, of group: RecordGroup, bytes: Int) {
        guard let known = rows[group] else { return }
        rows[group] = known.count > count ? Array(known.dropFirst(count)) : nil
        weight -= bytes + count * WaitingDeltas.rowWeight
    }
}
