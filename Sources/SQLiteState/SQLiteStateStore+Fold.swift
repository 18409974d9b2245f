import Engine

/// One pass of moving deltas into keyed rows: every delta that was there when it began, a task and table at a time.
struct FoldPass {
    /// The last delta of the pass.
    let through: Int64
    /// All changes up to and including this epoch are folded when the pass is over.
    let epoch: Epoch
    /// Groups still to fold, as (task, state table).
    var groups: [(task: Int64, table: Int64)]
}

extension SQLiteStateStore {
    public func maintain() throws -> Epoch {
        try exclusively {
            let opened = try ready()
            try foldSome(opened)
            if opened.commitsSincePrune >= 512 {
                opened.commitsSincePrune = 0
                try pruneLedgers()
            }
            if database.logPages >= settings.logPages { try database.checkpointLog() }
            return opened.foldedThrough
        }
    }

    /// Begins a pass when enough deltas have come together, and folds groups of it until a step's work is done.
    private func foldSome(_ opened: Opened) throws {
        if opened.fold == nil {
            guard opened.unfoldedBytes >= settings.foldBytes else { return }
            let through = try integer("SELECT max(sequence) FROM delta")
            let statement = try Statement(database, "SELECT DISTINCT task, state_table FROM delta")
            var groups: [(Int64, Int64)] = []
            while try statement.step() { groups.append((statement.integer(0), statement.integer(1))) }
            opened.fold = FoldPass(through: through, epoch: opened.lastEpoch, groups: groups)
        }
        guard var pass = opened.fold else { return }
        // With many tasks and much traffic a fixed step would fold less than comes, and what is not folded can't be
        // evicted and is read at every start: past the limit the next epochs wait for the pass to end.
        let step = opened.unfoldedBytes > settings.foldBytes * SQLiteStateStore.foldLimit ? Int.max : settings.foldStep
        var bytes = 0
        var remaining = pass.groups
        try database.transaction {
            var changes = 0
            while let group = remaining.last, changes < step {
                let folded = try fold(group.task, group.table, through: pass.through, carrying: opened.catalog.carriedFields(of: group.table))
                changes += folded.changes
                bytes += folded.bytes
                remaining.removeLast()
            }
        }
        opened.unfoldedBytes -= bytes
        pass.groups = remaining
        if remaining.isEmpty {
            opened.foldedThrough = pass.epoch
            opened.fold = nil
        } else {
            opened.fold = pass
        }
    }

    /// Folds one task's deltas of one table: closed windows first (in order, with what came before them gone), then the
    /// last word on each key, sorted by key. `carrying`: what stored records take from those before them.
    func fold(_ task: Int64, _ table: Int64, through: Int64, carrying carried: CarriedFields?) throws -> (changes: Int, bytes: Int) {
        var blobs: [[UInt8]] = []
        let select = try Statement(database, "SELECT bytes FROM delta WHERE task = ? AND state_table = ? AND sequence <= ? ORDER BY sequence")
        try select.bind(.integer(task), .integer(table), .integer(through))
        while try select.step() { blobs.append(select.blob(0).copy()) }

        var closed: Set<[UInt8]> = []
        var changes: [FoldedChange] = []
        for blob in blobs {
            let isComplete = blob.withUnsafeBytes { bytes in
                StateDelta.forEachChange(in: ByteView(bytes)) { change in
                    // The blobs live until the end of this function, so views into them may be kept for as long.
                    switch change {
                    case .windowClosed(let prefix): closed.insert(prefix.copy())
                    case .removed(let key): changes.append(FoldedChange(key: key, record: nil, order: changes.count))
                    case .stored(let key, let record): changes.append(FoldedChange(key: key, record: record, order: changes.count))
                    }
                }
            }
            guard isComplete else {
                throw StateError(.corrupt, "the state file \(database.path) is damaged: a delta can't be read; \(StateError.wayOut)")
            }
        }
        try withExtendedLifetime(blobs) {
            try deleteWindows(closed, task, table)
            // A window is closed for good, so whatever the deltas say of its keys is over.
            if !closed.isEmpty { changes.removeAll { $0.key.count >= 8 && closed.contains($0.key.prefix(8).copy()) } }
            changes.sort { $0.key == $1.key ? $0.order < $1.order : $0.key < $1.key }
            try apply(changes, task, table, carried)
        }
        try Statement(database, "DELETE FROM delta WHERE task = ? AND state_table = ? AND sequence <= ?").run(.integer(task), .integer(table), .integer(through))
        return (changes.count + closed.count, blobs.reduce(0) { $0 + $1.count })
    }

    private struct FoldedChange {
        let key: ByteView
        let record: ByteView?
        let order: Int
    }

    private func deleteWindows(_ closed: Set<[UInt8]>, _ task: Int64, _ table: Int64) throws {
        let delete = try Statement(database, "DELETE FROM keyed WHERE task = ? AND state_table = ? AND key >= ? AND key < ?")
        for prefix in closed {
            let end = keyAfterWindow(of: prefix)
            try prefix.withUnsafeBytes { from in
                try end.withUnsafeBytes { to in
                    try delete.run(.integer(task), .integer(table), .blob(ByteView(from)), .blob(ByteView(to)))
                }
            }
        }
    }

    /// The least key after all keys of a key's window: the next greater eight bytes; no window starts at the end of time.
    func keyAfterWindow(of key: [UInt8]) -> [UInt8] {
        var end = Array(key.prefix(8))
        for index in end.indices.reversed() {
            end[index] &+= 1
            if end[index] != 0 { break }
        }
        return end
    }

    private func apply(_ changes: [FoldedChange], _ task: Int64, _ table: Int64, _ carried: CarriedFields?) throws {
        let upsert = try Statement(database, "INSERT INTO keyed (task, state_table, key, record) VALUES (?, ?, ?, ?) ON CONFLICT (task, state_table, key) DO UPDATE SET record = excluded.record")
        let delete = try Statement(database, "DELETE FROM keyed WHERE task = ? AND state_table = ? AND key = ?")
        let earlier = try Statement(database, "SELECT record FROM keyed WHERE task = ? AND state_table = ? AND key = ?")
        var merged = ByteWriter()
        var isForgotten = false
        for (index, change) in changes.enumerated() {
            isForgotten = isForgotten || change.record == nil
            if index + 1 < changes.count && changes[index + 1].key == change.key { continue }
            defer { isForgotten = false }
            guard var record = change.record else {
                try delete.run(.integer(task), .integer(table), .blob(change.key))
                continue
            }
            if let carried, !isForgotten {
                try earlier.bind(.integer(task), .integer(table), .blob(change.key))
                defer { earlier.reset() }
                if try earlier.step() {
                    merged.removeAll()
                    guard carried.merge(record, over: earlier.blob(0), into: &merged) else {
                        throw StateError(.corrupt, "the state file \(database.path) is damaged: a record can't be read; \(StateError.wayOut)")
                    }
                    record = merged.view
                }
            }
            try upsert.run(.integer(task), .integer(table), .blob(change.key), .blob(record))
        }
    }

    /// Drops delivered batches and epochs' offsets older than the ledger is kept, a bounded number at a time.
    private func pruneLedgers() throws {
        let newest = try integer("SELECT coalesce((SELECT committed_at FROM epoch_offsets ORDER BY epoch DESC LIMIT 1), 0)")
        let cutoff = Statement.Value.integer(newest - settings.ledgerKeepMilliseconds)
        try database.transaction {
            try Statement(database, "DELETE FROM epoch_offsets WHERE epoch IN (SELECT epoch FROM epoch_offsets ORDER BY epoch LIMIT 2048) AND committed_at < ?").run(cutoff)
            for (_, table) in try ready().catalog.outputs {
                // The last batch stays whatever its age: its number is where the next one starts.
                try Statement(database, """
                    DELETE FROM batch WHERE output_table = ?1 AND delivered_at < ?2
                    AND (lineage, number) IN (SELECT lineage, number FROM batch WHERE output_table = ?1 ORDER BY lineage, number LIMIT 2048)
                    AND number < (SELECT max(number) FROM batch WHERE output_table = ?1)
                    """).run(.integer(table), cutoff)
            }
        }
    }
}
