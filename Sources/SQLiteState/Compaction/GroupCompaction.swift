import Engine

/// Moves a group's deltas into the keyed rows, in transactions of the caller: closed windows are emptied first (with what
/// came before their closing gone), then the last word on each key is written, sorted by key. The deltas themselves stay.
///
/// It may be made in steps, each in a transaction of its own: what is written is what the deltas say, so a part of it
/// changes nothing for who reads them over the rows, and doing it again from the start does no harm.
struct GroupCompaction {
    let group: RecordGroup
    /// Of the deltas.
    let byteCount: Int
    let rowCount: Int
    private let keyed: KeyedRows
    private let overlay = DeltaOverlay()
    private let closed: [[UInt8]]
    private let carried: CarriedFields?
    private var emptiedWindows = 0
    private var writtenChanges = 0

    /// `rows`: the group's deltas that are to be compacted, in order.
    init(_ database: Database, _ group: RecordGroup, rows: some Collection<Int64>) throws {
        self.group = group
        keyed = KeyedRows(database)
        try DeltaLog(database).forEachChanges(of: rows) { [overlay] changes in
            guard overlay.add(changes) else { throw database.damaged("a delta can't be read") }
        }
        rowCount = rows.count
        byteCount = overlay.byteCount
        overlay.finish()
        closed = Array(overlay.closed.keys)
        carried = try StateTableRows(database: database).carriedFields(of: group.table)
    }

    /// Compacts all deltas of a file that no store has open, and removes them.
    static func compactEverything(in database: Database) throws {
        try database.transaction {
            for (group, rows) in try WaitingDeltas(DeltaLog(database)).inOrder { try compact(group, rows: rows, in: database) }
            try DeltaLog(database).removeAll()
            try CompactionMarks(database: database).removeAll()
        }
    }

    /// Compacts these deltas of a group at one go.
    static func compact(_ group: RecordGroup, rows: some Collection<Int64>, in database: Database) throws {
        var compaction = try GroupCompaction(database, group, rows: rows)
        _ = try compaction.step(limit: .max)
    }

    var isDone: Bool { emptiedWindows == closed.count && writtenChanges == overlay.changes.count }

    /// Makes about `limit` changes, or what is left; returns how many there were.
    mutating func step(limit: Int) throws -> Int {
        var made = 0
        while made < limit, emptiedWindows < closed.count {
            let window = closed[emptiedWindows]
            // No window starts at the end of time.
            let (removed, isEmpty) =
                try WindowKey.next(after: window).map { try keyed.remove(in: group, from: window, before: $0, limit: limit - made) } ?? (
                    0, true
                )
            made += removed + 1
            if isEmpty { emptiedWindows += 1 }
        }
        guard made < limit else { return made }
        let end = writtenChanges + min(limit - made, overlay.changes.count - writtenChanges)
        try write(overlay.changes[writtenChanges..<end])
        made += end - writtenChanges
        writtenChanges = end
        return made
    }

    private func write(_ changes: ArraySlice<DeltaOverlay.Change>) throws {
        var merged = ByteWriter()
        for change in changes {
            guard var record = change.record else {
                try keyed.remove(change.key, in: group)
                continue
            }
            if let carried, !change.isForgotten {
                merged.removeAll()
                if let isSound = try keyed.read(change.key, in: group, { carried.merge(record, over: $0, into: &merged) }) {
                    guard isSound else { throw keyed.database.damaged("a record can't be read") }
                    record = merged.view
                }
            }
            try keyed.store(record, of: change.key, in: group)
        }
    }
}
