import Engine

/// All that a store knows of its deltas: those that wait to be moved into the keyed rows, how far that is, and which of the compacted ones
/// stay for the next checkpoint.
final class Compactor {
    /// The entry of `meta` that says after which epoch every delta is in the file.
    static let keptAfter = "kept_after"
    /// Deltas that wait take at most about this many times what a pass begins with.
    static let weightLimit = 4
    /// Changes that are made between two looks at the time.
    private static let changesAtOnce = 256
    /// The most bytes of kept deltas that are dropped between two epochs.
    private static let dropBytes = 8 << 20

    /// One pass over every delta that was there when it began, a group at a time.
    private struct Pass {
        /// The last delta that was there.
        let last: Int64
        /// All changes up to and including this epoch are compacted when the pass is over.
        let epoch: Epoch
        /// Groups still to compact, the next one last.
        var groups: [RecordGroup]
        /// Of the last of them, when that is begun.
        var current: GroupCompaction?
    }

    private let database: Database
    private let deltas: DeltaLog
    private let settings: SQLiteStateStore.Settings
    /// The last one committed.
    private(set) var lastEpoch: Epoch
    /// Every change up to and including this epoch is in the keyed rows.
    private(set) var through = Epoch(0)
    private(set) var waiting = WaitingDeltas()
    /// The number of the last delta ever added by this process; never given twice, so that it tells old ones from new.
    private(set) var lastDelta: Int64
    /// Every delta up to this number is compacted.
    private var lastCompacted: Int64
    private var pass: Pass?
    /// Deltas of later epochs are kept after they were compacted; nil: none is.
    var wanted: Epoch?
    /// As the file says it: every delta of a later epoch is there.
    private var complete: Epoch
    /// Bytes of the deltas that are compacted and still there.
    private var keptBytes = 0

    /// Reads what is compacted, and what of that is still there.
    init(_ database: Database, _ settings: SQLiteStateStore.Settings) throws {
        self.database = database
        self.settings = settings
        deltas = DeltaLog(database)
        let meta = MetaTable(database)
        lastEpoch = Epoch(UInt64(try meta.requiredNumber("epoch", StoredBounds.counter)))
        complete = Epoch(UInt64(try meta.requiredNumber(Compactor.keptAfter, StoredBounds.counter)))
        lastDelta = try deltas.lastNumber()
        lastCompacted = lastDelta
        guard StoredBounds.counter.contains(lastDelta) else { throw database.damaged("its last delta has the number \(lastDelta)") }
        try deltas.forEachRow { row in
            if row.isCompacted {
                keptBytes += row.bytes
            } else {
                lastCompacted = min(lastCompacted, row.number - 1)
                waiting.add(row.number, of: row.group, bytes: row.bytes)
            }
        }
        if waiting.rows.isEmpty { through = lastEpoch }
    }

    /// Notes the deltas of a committed epoch, which have the numbers after `lastDelta`.
    func note(_ added: [(group: RecordGroup, bytes: Int)], of epoch: Epoch) {
        for delta in added {
            lastDelta += 1
            waiting.add(lastDelta, of: delta.group, bytes: delta.bytes)
        }
        lastEpoch = epoch
    }

    /// `isCopying`: a base is under way. Then a pass begins later: every page that it changes would be written to the copy as well.
    private func bytesToBegin(isCopying: Bool) -> Int { settings.compactionBytes * (isCopying ? Compactor.weightLimit - 1 : 1) }

    func left(isCopying: Bool) -> Housekeeping.Left {
        // With many tasks and much traffic more may come than a step at a time compacts, and what is not compacted can't be
        // evicted and is read at every start.
        if waiting.weight / Compactor.weightLimit > settings.compactionBytes { return .tooMuch }
        return pass != nil || waiting.weight >= bytesToBegin(isCopying: isCopying) ? .some : .nothing
    }

    /// Begins a pass when enough deltas have come together, and does of it until a step's work is done or its time is over.
    func step(isCopying: Bool, isTimeOver: () -> Bool) throws {
        if pass == nil, waiting.weight >= bytesToBegin(isCopying: isCopying) {
            pass = Pass(last: lastDelta, epoch: lastEpoch, groups: waiting.inOrder.reversed().map(\.group))
        }
        guard var pass else { return }
        var done: [GroupCompaction] = []
        try database.transaction {
            var changes = 0
            while let group = pass.groups.last, changes < settings.compactionStep, changes == 0 || !isTimeOver() {
                var compaction = try pass.current ?? GroupCompaction(database, group, rows: waiting.rows(of: group, through: pass.last))
                changes += try compaction.step(limit: min(Compactor.changesAtOnce, settings.compactionStep - changes))
                pass.current = compaction
                guard compaction.isDone else { continue }
                try leave(compaction, of: pass)
                done.append(compaction)
                pass.current = nil
                pass.groups.removeLast()
            }
            if wanted == nil, !done.isEmpty, complete < pass.epoch {
                try MetaTable(database).set(Compactor.keptAfter, String(pass.epoch.number))
            }
        }
        for compaction in done { waiting.remove(first: compaction.rowCount, of: compaction.group, bytes: compaction.byteCount) }
        if wanted != nil {
            keptBytes += done.reduce(0) { $0 + $1.byteCount }
        } else if !done.isEmpty {
            complete = max(complete, pass.epoch)
        }
        self.pass = pass.groups.isEmpty ? nil : pass
        guard pass.groups.isEmpty else { return }
        through = pass.epoch
        lastCompacted = pass.last
    }

    /// What becomes of a group's deltas that the pass has compacted. Runs inside the pass's transaction.
    private func leave(_ compaction: GroupCompaction, of pass: Pass) throws {
        if wanted != nil {
            try CompactionMarks(database: database).set(compaction.group, through: pass.epoch)
        } else {
            // Those that were compacted earlier are counted as kept, and `dropKept` drops them.
            try deltas.remove(waiting.rows(of: compaction.group, through: pass.last))
        }
    }

    /// True when the changes of all epochs after `epoch` are kept, so that a delta can continue a checkpoint of it.
    func hasChanges(after epoch: Epoch) -> Bool { epoch >= complete && epoch <= lastEpoch }

    /// Whatever was done to the file between two epochs is in a base of it, so that a delta may continue that. The file itself
    /// goes on to say that it was done: nobody knows yet whether the copy becomes a checkpoint.
    func noteBase() { complete = min(complete, lastEpoch) }

    /// Drops compacted deltas that no checkpoint needs any more, oldest first, at most `dropBytes` or one.
    func dropKept(for export: DeltaExport?) throws {
        guard keptBytes > 0 else { return }
        if keptBytes > settings.keepBytes {
            wanted = nil
            export?.isOutgrown = true
        }
        let needed = min(wanted ?? lastEpoch, export.flatMap { $0.isOutgrown ? nil : $0.from } ?? lastEpoch)
        var (last, epoch, bytes) = (Int64(0), complete, 0)
        try deltas.forEachOldest(through: lastCompacted) { row in
            guard row.epoch <= needed else { return false }
            (last, epoch, bytes) = (row.number, max(epoch, row.epoch), bytes + row.bytes)
            return bytes < Compactor.dropBytes
        }
        guard last > 0 else { return }
        try database.transaction {
            try deltas.remove(through: last)
            try MetaTable(database).set(Compactor.keptAfter, String(epoch.number))
        }
        complete = epoch
        keptBytes -= bytes
    }
}
