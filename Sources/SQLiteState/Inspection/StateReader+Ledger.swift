import Engine

/// A sink batch as the state remembers it.
package struct StoredBatch: Sendable {
    package let table: String
    package let lineage: Lineage
    package let number: BatchNumber
    /// The table partition of its rows.
    package let partition: Int32
    package let rows: Int
    package let frozenEpoch: Epoch
    /// nil while it is not known to be delivered.
    package let deliveredEpoch: Epoch?
    /// Milliseconds since 1970 UTC.
    package let deliveredAt: Int64?
    /// Where its rows come from, in their order.
    package let origins: [Origin]

    /// Rows that one task produced in one epoch.
    package struct Origin: Equatable, Sendable {
        package let task: TaskID
        package let epoch: Epoch
        /// Which of the task's chunks of that epoch and table; the first is 0.
        package let chunk: Int
        package let rows: Int
    }
}

/// How far a task had read at the end of an epoch, and at the end of the one before in which it read.
package struct EpochReading: Sendable, Equatable {
    /// Milliseconds since 1970 UTC.
    package let committedAt: Int64
    /// The offset that the epoch began at; nil when no earlier epoch is remembered.
    package let from: Int64?
    /// The offset after the last one read.
    package let to: Int64
}

/// What waits to be delivered of a table.
package struct WaitingRows: Sendable, Equatable {
    package let chunks: Int
    package let rows: Int
    package let bytes: Int
}

extension StateReader {
    /// The batches of a table, or of all, in order of table, lineage and number.
    package func forEachBatch(of table: String? = nil, _ body: (StoredBatch) throws -> Void) throws {
        let names = outputs.filter { table == nil || $0.value == table }.sorted { $0.value < $1.value }
        for (id, name) in names { try BatchLedger(database).forEach(ofTable: id) { try body(try batch($0, name)) } }
    }

    /// Throws kind `missing` when there is no such table or the state does not remember the batch any more.
    package func batch(_ table: String, _ lineage: Lineage, _ number: BatchNumber) throws -> StoredBatch {
        guard let id = outputs.first(where: { $0.value == table })?.key else {
            throw StateError(.missing, "the job has no table \(table); it has \(outputTables.joined(separator: ", "))")
        }
        let ledger = BatchLedger(database)
        guard let row = try ledger.batch(number, lineage, ofTable: id) else {
            let known = (first: try ledger.firstNumber(lineage, ofTable: id), last: try ledger.lastNumber(lineage, ofTable: id))
            let range =
                if let first = known.first, let last = known.last { "\(first) to \(last) of that lineage" } else { "none of that lineage" }
            throw StateError(
                .missing,
                "the state remembers no batch \(table):\(number) of lineage \(lineage); it remembers \(range). Older ones are forgotten after sink.ledgerKeep; a later checkpoint may have later ones"
            )
        }
        return try batch(row, table)
    }

    private func batch(_ row: BatchRow, _ table: String) throws -> StoredBatch {
        StoredBatch(
            table: table, lineage: row.lineage, number: row.number, partition: row.partition, rows: row.rows, frozenEpoch: row.frozenEpoch,
            deliveredEpoch: row.deliveredEpoch, deliveredAt: row.deliveredAt,
            origins: try row.origins.map {
                StoredBatch.Origin(task: try task(numbered: $0.task), epoch: $0.epoch, chunk: $0.chunk, rows: $0.rows)
            }
        )
    }

    /// What a task read in an epoch; nil when it read nothing, or the epoch is forgotten already.
    package func reading(of task: TaskID, in epoch: Epoch) throws -> EpochReading? {
        var own: (committedAt: Int64, to: Int64)?
        var from: Int64?
        try EpochOffsets(database).forEach(backwardsFrom: epoch) { found, committedAt, offsets in
            guard own != nil || found == epoch else { return false }
            guard let offset = try offset(of: task, in: offsets) else { return found != epoch }
            if own != nil { from = offset } else { own = (try committedAt(), offset) }
            return from == nil
        }
        return own.map { EpochReading(committedAt: $0.committedAt, from: from, to: $0.to) }
    }

    private func offset(of task: TaskID, in offsets: ByteView) throws -> Int64? {
        var reader = ByteReader(offsets)
        while !reader.isAtEnd {
            let number = Int64(truncatingIfNeeded: reader.varint())
            let offset = reader.zigzag()
            guard !reader.failed, StoredBounds.counter.contains(offset) else { throw damaged("the offsets of an epoch") }
            if try self.task(numbered: number) == task { return offset }
        }
        return nil
    }

    /// The windows that a task closed in an epoch, by table; nil when the epoch's changes are compacted and forgotten.
    package func windowsClosed(by task: TaskID, in epoch: Epoch) throws -> [(table: StoredTable, start: EventTime)]? {
        guard let stored = tasks.first(where: { $0.id == task }) else { return nil }
        var isKnown = false
        var closed: [(StoredTable, EventTime)] = []
        try DeltaLog(database).forEachChanges(of: stored.number, in: epoch) { number, changes in
            isKnown = true
            guard let table = tables.first(where: { $0.id == number }) else { throw damaged("a delta of an unknown table") }
            let isWhole = StateDelta.forEachChange(in: changes) { change in
                if case .windowClosed(let prefix) = change, let start = WindowKey.start(of: prefix) { closed.append((table, start)) }
            }
            guard isWhole else { throw damaged("a delta of table \(table.fullName) can't be read") }
        }
        return isKnown ? closed : nil
    }

    /// What a manifest says of this state.
    package func checkpointFacts() throws -> CheckpointFacts { try CheckpointFacts(of: database) }

    /// What operators had passed over, in the order of topics, partitions and offsets.
    package func skippedRecords() throws -> [SkippedRecords] { try SkipEntries(database: database).all() }

    /// What waits to be delivered, by table.
    package func waitingRows() throws -> [String: WaitingRows] {
        var waiting: [String: WaitingRows] = [:]
        for (table, rows) in try OutboxRows(database).waitingByTable() {
            guard let name = outputs[table] else { throw damaged("outgoing rows of an unknown table") }
            waiting[name] = rows
        }
        return waiting
    }

    /// How many rows wait that were written for each layout, all sinks together; a file of an earlier format does not say.
    package func waitingRowsByLayout() throws -> [OutputTable: Int] {
        guard try StateFormat.hasLayouts(database) else { return [:] }
        let layouts = try OutputLayouts(database)
        var waiting: [OutputTable: Int] = [:]
        for (layout, rows) in try OutboxRows(database).waitingByLayout() {
            guard let table = layouts.table(layout) else { throw damaged("outgoing rows of an unknown layout") }
            waiting[table] = rows
        }
        return waiting
    }

    /// The layouts of the batches between tasks that wait; a file of an earlier format does not say them.
    package func waitingMessageLayouts() throws -> [StoredMessageLayout] {
        guard try StateFormat.hasLayouts(database) else { return [] }
        let layouts = try MessageLayouts(database).stored
        return try MessageRows(database).layouts().map { number in
            guard let found = layouts.first(where: { $0.id == number }) else {
                throw damaged("a batch between tasks has an unknown layout")
            }
            return found.layout
        }
    }

    /// Batches between tasks that no task has processed: how many, and their bytes.
    package func waitingMessages() throws -> (count: Int, bytes: Int) { try MessageRows(database).size() }

    /// Bytes of changes that are not compacted into keyed rows yet.
    package func uncompactedBytes() throws -> Int {
        var bytes = 0
        try DeltaLog(database).forEachRow { if !$0.isCompacted { bytes += $0.bytes } }
        return bytes
    }
}
