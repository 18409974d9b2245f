import Engine

/// One pass of moving deltas into keyed rows: every delta that was there when it began, a task and table at a time.
struct CompactionPass {
    /// The last delta that was there when it began.
    let last: Int64
    /// All changes up to and including this epoch are compacted when the pass is over.
    let epoch: Epoch
    /// Groups still to compact, the next one last.
    var groups: [CompactionGroup]
    /// Of the last of them, when that is begun.
    var current: (compact: DeltaCompaction, progress: DeltaCompaction.Progress)?
}

/// A group whose deltas a pass has compacted, and how many those were.
struct CompactedGroup {
    let group: CompactionGroup
    let rows: Int
    let bytes: Int
}

extension SQLiteStateStore {
    public func maintain(for time: Duration) throws -> Housekeeping {
        let start = ContinuousClock.now
        return try exclusively {
            let opened = try ready()
            try compactSome(opened) { ContinuousClock.now - start >= time }
            try dropKept(opened)
            if opened.commitsSincePrune >= 512 {
                opened.commitsSincePrune = 0
                try pruneLedgers()
            }
            if database.logPages >= settings.logPages { try database.checkpointLog() }
            return Housekeeping(compactedThrough: opened.compactedThrough, left: left(opened))
        }
    }

    private func left(_ opened: Opened) -> Housekeeping.Left {
        // With many tasks and much traffic more may come than a step at a time compacts, and what is not compacted can't be
        // evicted and is read at every start.
        if opened.uncompacted.weight / SQLiteStateStore.compactionLimit > settings.compactionBytes { return .tooMuch }
        return opened.compact != nil || opened.uncompacted.weight >= bytesToCompact ? .some : .nothing
    }

    /// Changes that are made between two looks at the time.
    private static let compactedAtOnce = 256

    /// Begins a pass when enough deltas have come together, and compacts of it until a step's work is done or its time is over.
    private func compactSome(_ opened: Opened, isTimeOver: () -> Bool) throws {
        if opened.compact == nil {
            guard opened.uncompacted.weight >= bytesToCompact else { return }
            opened.compact = newPass(opened)
        }
        guard var pass = opened.compact else { return }
        var compacted: [CompactedGroup] = []
        try database.transaction {
            var changes = 0
            while let group = pass.groups.last, changes < settings.compactionStep, changes == 0 || !isTimeOver() {
                var (compact, progress) =
                    try pass.current ?? (
                        DeltaCompaction(database, group, rows: opened.uncompacted.rows(of: group, through: pass.last)),
                        DeltaCompaction.Progress()
                    )
                changes += try compact.step(&progress, limit: min(SQLiteStateStore.compactedAtOnce, settings.compactionStep - changes))
                pass.current = (compact, progress)
                guard compact.isDone(progress) else { continue }
                try leaveCompacted(group, pass, opened)
                compacted.append(CompactedGroup(group: group, rows: compact.rowCount, bytes: compact.byteCount))
                pass.current = nil
                pass.groups.removeLast()
            }
            let drops = opened.keeping.wanted == nil && !compacted.isEmpty
            if drops && opened.keeping.complete < pass.epoch { try setMeta(KeptChanges.entry, String(pass.epoch.number)) }
        }
        opened.left(compacted, of: pass)
        if pass.groups.isEmpty {
            opened.compactedThrough = pass.epoch
            opened.compactedDelta = pass.last
            opened.compact = nil
        } else {
            opened.compact = pass
        }
    }

    /// While a base is under way a pass begins later: every page that it changes would be written to the copy as well.
    private var bytesToCompact: Int {
        base == nil ? settings.compactionBytes : settings.compactionBytes * (SQLiteStateStore.compactionLimit - 1)
    }

    private func newPass(_ opened: Opened) -> CompactionPass {
        CompactionPass(last: opened.lastDelta, epoch: opened.lastEpoch, groups: opened.uncompacted.inOrder.reversed().map(\.group))
    }

    /// Drops delivered batches and epochs' offsets older than the ledger is kept, a bounded number at a time.
    func pruneLedgers() throws {
        let newest = try integer("SELECT coalesce((SELECT committed_at FROM epoch_offsets ORDER BY epoch DESC LIMIT 1), 0)")
        guard StoredBounds.clock.contains(newest) else { throw damaged("its last epoch was committed at \(newest)") }
        let cutoff = Statement.Value.integer(newest - settings.ledgerKeepMilliseconds)
        try database.transaction {
            try Statement(
                database,
                "DELETE FROM epoch_offsets WHERE epoch IN (SELECT epoch FROM epoch_offsets ORDER BY epoch LIMIT 2048) AND committed_at < ?"
            ).run(cutoff)
            for (_, table) in try ready().catalog.outputs {
                // The last batch of a lineage stays whatever its age: its number is where the next one starts.
                try Statement(
                    database,
                    """
                    DELETE FROM batch WHERE output_table = ?1 AND delivered_at < ?2
                    AND (lineage, number) IN (SELECT lineage, number FROM batch WHERE output_table = ?1 ORDER BY lineage, number LIMIT 2048)
                    AND number < (SELECT max(number) FROM batch AS others WHERE output_table = ?1 AND others.lineage = batch.lineage)
                    """
                ).run(.integer(table), cutoff)
            }
        }
    }
}
