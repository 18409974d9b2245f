import Engine

/// Deltas that are folded together: one task's of one state table, by their numbers in the state file.
struct FoldGroup: Hashable {
    let task: Int64
    let table: Int64
}

/// Moves deltas into the keyed rows, a group at a time, in the transaction of the caller.
struct DeltaFold {
    let database: Database

    /// Folds a group's deltas whose numbers are in `sequences` and whose epochs are after `epoch`: closed windows first (with
    /// what came before them gone), then the last word on each key, sorted by key.
    /// The deltas themselves stay.
    func fold(_ group: FoldGroup, sequences: ClosedRange<Int64>, after epoch: Epoch) throws -> (changes: Int, bytes: Int) {
        let unfolded = UnfoldedChanges()
        let select = try Statement(database, "SELECT bytes FROM delta WHERE sequence BETWEEN ? AND ? AND task = ? AND state_table = ? AND epoch > ? ORDER BY sequence")
        try select.bind(
            .integer(sequences.lowerBound), .integer(sequences.upperBound), .integer(group.task), .integer(group.table), .integer(Int64(epoch.number))
        )
        while try select.step() {
            guard unfolded.add(select.blob(0)) else {
                throw StateError(.corrupt, "the state file \(database.path) is damaged: a delta can't be read; \(StateError.wayOut)")
            }
        }
        let count = unfolded.changes.count + unfolded.closed.count
        unfolded.finish()
        try deleteWindows(unfolded.closed.keys, group)
        try apply(unfolded.changes, group, try carriedFields(of: group.table))
        return (count, unfolded.byteCount)
    }

    /// Folds all deltas of a file that no store has open, and removes them.
    func foldEverything() throws {
        try database.transaction {
            let last = try database.integer("SELECT coalesce(max(sequence), 0) FROM main.delta")
            let groups = try Statement(database, """
                SELECT DISTINCT task, state_table, (SELECT through FROM fold_mark WHERE task = d.task AND state_table = d.state_table) FROM main.delta AS d
                """)
            while last > 0, try groups.step() {
                _ = try fold(FoldGroup(task: groups.integer(0), table: groups.integer(1)), sequences: 0...last, after: Epoch(UInt64(groups.integer(2))))
            }
            try database.execute("DELETE FROM main.delta")
            try database.execute("DELETE FROM main.fold_mark")
        }
    }

    private func deleteWindows(_ closed: some Sequence<[UInt8]>, _ group: FoldGroup) throws {
        let delete = try Statement(database, "DELETE FROM keyed WHERE task = ? AND state_table = ? AND key >= ? AND key < ?")
        for prefix in closed {
            let end = DeltaFold.keyAfterWindow(of: prefix)
            try prefix.withUnsafeBytes { from in
                try end.withUnsafeBytes { to in
                    try delete.run(.integer(group.task), .integer(group.table), .blob(ByteView(from)), .blob(ByteView(to)))
                }
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
    private func carriedFields(of table: Int64) throws -> CarriedFields? {
        let row = try Statement(database, "SELECT 1 FROM state_table WHERE id = ? AND carried IS NOT NULL AND carried <> '[]'")
        try row.bind(.integer(table))
        defer { row.reset() }
        guard try row.step(), let found = try CatalogTable.all(in: database).first(where: { $0.id == table }) else { return nil }
        return CarriedFields(found.carried, of: found.schema)
    }

    private func apply(_ changes: [UnfoldedChanges.Change], _ group: FoldGroup, _ carried: CarriedFields?) throws {
        let upsert = try Statement(database, "INSERT INTO keyed (task, state_table, key, record) VALUES (?, ?, ?, ?) ON CONFLICT (task, state_table, key) DO UPDATE SET record = excluded.record")
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
                        throw StateError(.corrupt, "the state file \(database.path) is damaged: a record can't be read; \(StateError.wayOut)")
                    }
                    record = merged.view
                }
            }
            try upsert.run(.integer(group.task), .integer(group.table), .blob(change.key), .blob(record))
        }
    }
}
