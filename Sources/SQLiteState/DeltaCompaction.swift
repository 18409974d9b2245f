import Engine

/// Deltas that are compacted together: one task's of one state table, by their numbers in the state file.
struct CompactionGroup: Hashable {
    let task: Int64
    let table: Int64
}

/// Moves a group's deltas into the keyed rows, in transactions of the caller: closed windows are emptied first (with what
/// came before their closing gone), then the last word on each key is written, sorted by key. The deltas themselves stay.
///
/// It may be made in steps, each in a transaction of its own: what is written is what the deltas say, so a part of it
/// changes nothing for who reads them over the rows, and doing it again from the start does no harm.
final class DeltaCompaction {
    /// How far a compaction is.
    struct Progress {
        fileprivate var closedWindows = 0
        fileprivate var changes = 0
    }

    let changeCount: Int
    /// Of the deltas.
    let byteCount: Int
    let rowCount: Int
    private let database: Database
    private let group: CompactionGroup
    private let closed: [[UInt8]]
    private let uncompacted = UncompactedChanges()
    private let carried: CarriedFields?

    /// `rows`: the group's deltas that are to be compacted, in order.
    init(_ database: Database, _ group: CompactionGroup, rows: some Collection<Int64>) throws {
        self.database = database
        self.group = group
        try UncompactedDeltas.forEachChanges(of: rows, in: database) { [uncompacted] changes in
            guard uncompacted.add(changes) else {
                throw StateError(.corrupt, "the state file \(database.path) is damaged: a delta can't be read; \(StateError.wayOut)")
            }
        }
        rowCount = rows.count
        changeCount = uncompacted.changes.count + uncompacted.closed.count
        byteCount = uncompacted.byteCount
        uncompacted.finish()
        closed = Array(uncompacted.closed.keys)
        carried = try DeltaCompaction.carriedFields(of: group.table, database)
    }

    /// Compacts all deltas of a file that no store has open, and removes them.
    static func compactEverything(in database: Database) throws {
        try database.transaction {
            for (group, rows) in try UncompactedDeltas(in: database).inOrder { try DeltaCompaction(database, group, rows: rows).run() }
            try database.execute("DELETE FROM main.delta")
            try database.execute("DELETE FROM main.fold_mark")
        }
    }

    /// All of it.
    func run() throws {
        var progress = Progress()
        _ = try step(&progress, limit: .max)
    }

    func isDone(_ progress: Progress) -> Bool { progress.closedWindows == closed.count && progress.changes == uncompacted.changes.count }

    /// Makes about `limit` changes, or what is left; returns how many there were.
    func step(_ progress: inout Progress, limit: Int) throws -> Int {
        var made = 0
        while made < limit, progress.closedWindows < closed.count {
            let (deleted, isEmpty) = try deleteRows(ofWindow: closed[progress.closedWindows], limit: limit - made)
            made += deleted + 1
            if isEmpty { progress.closedWindows += 1 }
        }
        guard made < limit else { return made }
        let end = progress.changes + min(limit - made, uncompacted.changes.count - progress.changes)
        try apply(uncompacted.changes[progress.changes..<end])
        made += end - progress.changes
        progress.changes = end
        return made
    }

    private func deleteRows(ofWindow prefix: [UInt8], limit: Int) throws -> (deleted: Int, isEmpty: Bool) {
        let end = DeltaCompaction.keyAfterWindow(of: prefix)
        let boundary = limit == .max ? nil : try key(after: limit, from: prefix, to: end)
        let delete = try Statement(database, "DELETE FROM keyed WHERE task = ? AND state_table = ? AND key >= ? AND key < ?")
        try prefix.withUnsafeBytes { from in
            try (boundary ?? end).withUnsafeBytes { to in
                try delete.run(.integer(group.task), .integer(group.table), .blob(ByteView(from)), .blob(ByteView(to)))
            }
        }
        return (database.changes, boundary == nil)
    }

    /// The key that so many others of the range precede; nil when there are not as many.
    private func key(after count: Int, from: [UInt8], to: [UInt8]) throws -> [UInt8]? {
        let select = try Statement(
            database, "SELECT key FROM keyed WHERE task = ? AND state_table = ? AND key >= ? AND key < ? ORDER BY key LIMIT 1 OFFSET ?")
        return try from.withUnsafeBytes { from in
            try to.withUnsafeBytes { to in
                try select.bind(
                    .integer(group.task), .integer(group.table), .blob(ByteView(from)), .blob(ByteView(to)), .integer(Int64(count)))
                defer { select.reset() }
                return try select.step() ? select.blob(0).copy() : nil
            }
        }
    }

    /// The least key after all keys of a key's window: the next greater eight bytes; no window starts at the end of time.
    static func keyAfterWindow(of key: [UInt8]) -> [UInt8] {
        var end = Array(key.prefix(8))
        for index in end.indices.reversed() {
            end[index] &+= 1
            if end[index] != 0 { break }
        }
        return end
    }

    /// What of a fallback's records comes from the records before them; nil for every other table.
    private static func carriedFields(of table: Int64, _ database: Database) throws -> CarriedFields? {
        let row = try Statement(database, "SELECT 1 FROM state_table WHERE id = ? AND carried IS NOT NULL AND carried <> '[]'")
        try row.bind(.integer(table))
        defer { row.reset() }
        guard try row.step(), let found = try CatalogTable.all(in: database).first(where: { $0.id == table }) else { return nil }
        return CarriedFields(found.carried, of: found.schema)
    }

    private func apply(_ changes: ArraySlice<UncompactedChanges.Change>) throws {
        let upsert = try Statement(
            database,
            "INSERT INTO keyed (task, state_table, key, record) VALUES (?, ?, ?, ?) ON CONFLICT (task, state_table, key) DO UPDATE SET record = excluded.record"
        )
        let delete = try Statement(database, "DELETE FROM keyed WHERE task = ? AND state_table = ? AND key = ?")
        let earlier = try Statement(database, "SELECT record FROM keyed WHERE task = ? AND state_table = ? AND key = ?")
        var merged = ByteWriter()
        for change in changes {
            guard var record = change.record else {
                try delete.run(.integer(group.task), .integer(group.table), .blob(change.key))
                continue
            }
            if let carried, !change.isForgotten {
                try earlier.bind(.integer(group.task), .integer(group.table), .blob(change.key))
                defer { earlier.reset() }
                if try earlier.step() {
                    merged.removeAll()
                    guard carried.merge(record, over: earlier.blob(0), into: &merged) else {
                        throw StateError(
                            .corrupt, "the state file \(database.path) is damaged: a record can't be read; \(StateError.wayOut)")
                    }
                    record = merged.view
                }
            }
            try upsert.run(.integer(group.task), .integer(group.table), .blob(change.key), .blob(record))
        }
    }
}
