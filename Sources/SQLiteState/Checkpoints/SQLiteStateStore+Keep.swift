import Engine

/// Which compacted deltas stay for the next checkpoint.
struct KeptChanges {
    /// The entry of `meta` that says after which epoch every delta is in the file.
    static let entry = "kept_after"

    /// Deltas of later epochs are kept after they were compacted; nil: none is.
    var wanted: Epoch?
    /// As the file says it: every delta of a later epoch is there.
    var complete = Epoch(0)
    /// Bytes of the deltas that are compacted and still there.
    var bytes = 0
}

extension SQLiteStateStore.Opened {
    /// Notes what compacting a part of a pass left, once it is durable.
    func left(_ compacted: [CompactedGroup], of pass: CompactionPass) {
        for done in compacted { uncompacted.remove(first: done.rows, of: done.group, bytes: done.bytes) }
        guard keeping.wanted != nil else {
            if !compacted.isEmpty { keeping.complete = max(keeping.complete, pass.epoch) }
            return
        }
        keeping.bytes += compacted.reduce(0) { $0 + $1.bytes }
    }
}

extension SQLiteStateStore {
    /// The most bytes of kept deltas that are dropped between two epochs.
    private static let dropBytes = 8 << 20

    /// From now on the changes of epochs after `epoch` are kept, compacted or not, so that `beginDelta` can copy them; those of
    /// earlier ones are dropped, a bounded number at a time. nil: none is kept beyond compacting, which is how a store begins.
    ///
    /// Called after `open`, and then whenever a checkpoint was taken. Changes that outgrow `Settings.keepBytes` are not
    /// kept any longer, until this is called again.
    public func keepChanges(after epoch: Epoch?) throws {
        try exclusively { try ready().keeping.wanted = epoch }
    }

    /// True when the changes of all epochs after `epoch` are kept, so that a delta can continue a checkpoint of it.
    public func keepsChanges(after epoch: Epoch) throws -> Bool {
        try exclusively { try hasChanges(after: epoch, ready()) }
    }

    func hasChanges(after epoch: Epoch, _ opened: Opened) -> Bool { epoch >= opened.keeping.complete && epoch <= opened.lastEpoch }

    /// What becomes of a group's deltas that the pass has compacted. Runs inside the pass's transaction.
    func leaveCompacted(_ group: CompactionGroup, _ pass: CompactionPass, _ opened: Opened) throws {
        if opened.keeping.wanted != nil {
            try Statement(database, "INSERT OR REPLACE INTO fold_mark (task, state_table, through) VALUES (?, ?, ?)").run(
                .integer(group.task), .integer(group.table), .integer(Int64(pass.epoch.number))
            )
        } else {
            // Those that were compacted earlier are counted as kept, and `dropKept` drops them.
            let delete = try Statement(database, "DELETE FROM delta WHERE sequence = ?")
            for number in opened.uncompacted.rows(of: group, through: pass.last) { try delete.run(.integer(number)) }
        }
    }

    /// Drops compacted deltas that no checkpoint needs any more, oldest first, at most `dropBytes` or one.
    func dropKept(_ opened: Opened) throws {
        guard opened.keeping.bytes > 0 else { return }
        if opened.keeping.bytes > settings.keepBytes { giveUpKeeping(opened) }
        let needed = min(
            opened.keeping.wanted ?? opened.lastEpoch, deltaExport.flatMap { $0.isOutgrown ? nil : $0.from } ?? opened.lastEpoch)
        let select = try Statement(database, "SELECT sequence, epoch, length(bytes) FROM delta WHERE sequence <= ? ORDER BY sequence")
        try select.bind(.integer(opened.compactedDelta))
        var (last, epoch, bytes) = (Int64(0), opened.keeping.complete, 0)
        while bytes < SQLiteStateStore.dropBytes, try select.step(), select.integer(1) <= Int64(needed.number) {
            last = select.integer(0)
            epoch = max(epoch, try select.epoch(1))
            bytes += Int(select.integer(2))
        }
        select.reset()
        guard last > 0 else { return }
        try database.transaction {
            try Statement(database, "DELETE FROM delta WHERE sequence <= ?").run(.integer(last))
            try setMeta(KeptChanges.entry, String(epoch.number))
        }
        opened.keeping.complete = epoch
        opened.keeping.bytes -= bytes
    }

    private func giveUpKeeping(_ opened: Opened) {
        opened.keeping.wanted = nil
        deltaExport?.isOutgrown = true
    }

    /// Reads what is compacted, and what of that is still there. Runs when the file is opened.
    func readCompactionStatus(_ opened: Opened) throws {
        let complete = try database.number(try meta(KeptChanges.entry), of: KeptChanges.entry, StoredBounds.counter)
        opened.keeping = KeptChanges(complete: Epoch(UInt64(complete)))
        opened.lastDelta = try integer("SELECT coalesce(max(sequence), 0) FROM delta")
        guard StoredBounds.counter.contains(opened.lastDelta) else { throw damaged("its last delta has the number \(opened.lastDelta)") }
        opened.compactedDelta = opened.lastDelta
        opened.uncompacted = UncompactedDeltas()
        try DeltaRow.forEach(in: database) { row in
            if row.isCompacted {
                opened.keeping.bytes += row.bytes
            } else {
                opened.compactedDelta = min(opened.compactedDelta, row.number - 1)
                opened.uncompacted.add(row.number, of: row.group, bytes: row.bytes)
            }
        }
        if opened.uncompacted.rows.isEmpty { opened.compactedThrough = opened.lastEpoch }
    }
}
