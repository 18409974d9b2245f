import Engine

/// One pass of moving deltas into keyed rows: every delta that was there when it began, a task and table at a time.
struct FoldPass {
    /// The last delta that was there when it began.
    let last: Int64
    /// All changes up to and including this epoch are folded when the pass is over.
    let epoch: Epoch
    /// Groups still to fold, the next one last.
    var groups: [FoldGroup]
    /// Of the last of them, when that is begun.
    var current: (fold: DeltaFold, progress: DeltaFold.Progress)?
}

/// A group whose deltas a pass has folded, and how many those were.
struct FoldedGroup {
    let group: FoldGroup
    let rows: Int
    let bytes: Int
}

extension SQLiteStateStore {
    public func maintain(for time: Duration) throws -> Housekeeping {
        let start = ContinuousClock.now
        return try exclusively {
            let opened = try ready()
            try foldSome(opened) { ContinuousClock.now - start >= time }
            try dropKept(opened)
            if opened.commitsSincePrune >= 512 {
                opened.commitsSincePrune = 0
                try pruneLedgers()
            }
            if database.logPages >= settings.logPages { try database.checkpointLog() }
            return Housekeeping(foldedThrough: opened.foldedThrough, left: left(opened))
        }
    }

    private func left(_ opened: Opened) -> Housekeeping.Left {
        // With many tasks and much traffic more may come than a step at a time folds, and what is not folded can't be
        // evicted and is read at every start.
        if opened.unfolded.weight / SQLiteStateStore.foldLimit > settings.foldBytes { return .tooMuch }
        return opened.fold != nil || opened.unfolded.weight >= bytesToFold ? .some : .nothing
    }

    /// Changes that are made between two looks at the time.
    private static let foldedAtOnce = 256

    /// Begins a pass when enough deltas have come together, and folds of it until a step's work is done or its time is over.
    private func foldSome(_ opened: Opened, isTimeOver: () -> Bool) throws {
        if opened.fold == nil {
            guard opened.unfolded.weight >= bytesToFold else { return }
            opened.fold = newPass(opened)
        }
        guard var pass = opened.fold else { return }
        var folded: [FoldedGroup] = []
        try database.transaction {
            var changes = 0
            while let group = pass.groups.last, changes < settings.foldStep, changes == 0 || !isTimeOver() {
                var (fold, progress) =
                    try pass.current ?? (
                        DeltaFold(database, group, rows: opened.unfolded.rows(of: group, through: pass.last)), DeltaFold.Progress()
                    )
                changes += try fold.step(&progress, limit: min(SQLiteStateStore.foldedAtOnce, settings.foldStep - changes))
                pass.current = (fold, progress)
                guard fold.isDone(progress) else { continue }
                try leaveFolded(group, pass, opened)
                folded.append(FoldedGroup(group: group, rows: fold.rowCount, bytes: fold.byteCount))
                pass.current = nil
                pass.groups.removeLast()
            }
            let drops = opened.keeping.wanted == nil && !folded.isEmpty
            if drops && opened.keeping.complete < pass.epoch { try setMeta(KeptChanges.entry, String(pass.epoch.number)) }
        }
        opened.left(folded, of: pass)
        if pass.groups.isEmpty {
            opened.foldedThrough = pass.epoch
            opened.foldedDelta = pass.last
            opened.fold = nil
        } else {
            opened.fold = pass
        }
    }

    /// While a base is under way a pass begins later: every page that it changes would be written to the copy as well.
    private var bytesToFold: Int { base == nil ? settings.foldBytes : settings.foldBytes * (SQLiteStateStore.foldLimit - 1) }

    private func newPass(_ opened: Opened) -> FoldPass {
        FoldPass(last: opened.lastDelta, epoch: opened.lastEpoch, groups: opened.unfolded.inOrder.reversed().map(\.group))
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
