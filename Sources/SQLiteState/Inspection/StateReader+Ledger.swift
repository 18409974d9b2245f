import Engine

/// A sink batch as the state remembers it.
public struct StoredBatch: Sendable {
    public let table: String
    public let lineage: Lineage
    public let number: BatchNumber
    /// The table partition of its rows.
    public let partition: Int32
    public let rows: Int
    public let frozenEpoch: Epoch
    /// nil while it is not known to be delivered.
    public let deliveredEpoch: Epoch?
    /// Milliseconds since 1970 UTC.
    public let deliveredAt: Int64?
    /// Where its rows come from, in their order.
    public let origins: [Origin]

    /// Rows that one task produced in one epoch.
    public struct Origin: Equatable, Sendable {
        public let task: TaskID
        public let epoch: Epoch
        /// Which of the task's chunks of that epoch and table; the first is 0.
        public let chunk: Int
        public let rows: Int
    }
}

/// How far a task had read at the end of an epoch, and at the end of the one before in which it read.
public struct EpochReading: Sendable, Equatable {
    /// Milliseconds since 1970 UTC.
    public let committedAt: Int64
    /// The offset that the epoch began at; nil when no earlier epoch is remembered.
    public let from: Int64?
    /// The offset after the last one read.
    public let to: Int64
}

/// What waits to be delivered of a table.
public struct WaitingRows: Sendable, Equatable {
    public let chunks: Int
    public let rows: Int
    public let bytes: Int
}

extension StateReader {
    /// The batches of a table, or of all, in order of table, lineage and number.
    public func forEachBatch(of table: String? = nil, _ body: (StoredBatch) throws -> Void) throws {
        let names = outputs.filter { table == nil || $0.value == table }.sorted { $0.value < $1.value }
        let statement = try Statement(database, batchColumns + " FROM batch WHERE output_table = ? ORDER BY lineage, number")
        for (id, name) in names {
            try statement.bind(.integer(id))
            while try statement.step() { try body(try batch(statement, name)) }
        }
    }

    /// Throws kind `missing` when there is no such table or the state does not remember the batch any more.
    public func batch(_ table: String, _ lineage: Lineage, _ number: BatchNumber) throws -> StoredBatch {
        guard let id = outputs.first(where: { $0.value == table })?.key else {
            throw StateError(.missing, "the job has no table \(table); it has \(outputTables.joined(separator: ", "))")
        }
        let statement = try Statement(database, batchColumns + " FROM batch WHERE output_table = ? AND lineage = ? AND number = ?")
        try statement.bind(.integer(id), .integer(Int64(lineage.number)), .integer(Int64(clamping: number.number)))
        guard try statement.step() else {
            let known = try Statement(database, "SELECT min(number), max(number) FROM batch WHERE output_table = ? AND lineage = ?")
            try known.bind(.integer(id), .integer(Int64(lineage.number)))
            _ = try known.step()
            let range = known.isNull(0) ? "none of that lineage" : "\(known.integer(0)) to \(known.integer(1)) of that lineage"
            throw StateError(
                .missing,
                "the state remembers no batch \(table):\(number) of lineage \(lineage); it remembers \(range). Older ones are forgotten after sink.ledgerKeep; a later checkpoint may have later ones"
            )
        }
        defer { statement.reset() }
        return try batch(statement, table)
    }

    private var batchColumns: String { "SELECT lineage, number, partition, rows, frozen_epoch, delivered_epoch, delivered_at, origins" }

    private func batch(_ row: Statement, _ table: String) throws -> StoredBatch {
        var origins: [StoredBatch.Origin] = []
        var reader = ByteReader(row.blob(7))
        while !reader.isAtEnd {
            let task = try task(numbered: Int64(truncatingIfNeeded: reader.varint()))
            let epoch = reader.epoch()
            let chunk = reader.count()
            let rows = reader.count()
            guard !reader.failed else { throw damaged("the origins of batch \(table):\(row.integer(1))") }
            origins.append(StoredBatch.Origin(task: task, epoch: epoch, chunk: chunk, rows: rows))
        }
        return StoredBatch(
            table: table, lineage: try row.lineage(0), number: try row.batchNumber(1), partition: try row.tablePartition(2),
            rows: try row.count(3),
            frozenEpoch: try row.epoch(4), deliveredEpoch: row.isNull(5) ? nil : try row.epoch(5),
            deliveredAt: row.isNull(6) ? nil : try row.clock(6),
            origins: origins
        )
    }

    /// What a task read in an epoch; nil when it read nothing, or the epoch is forgotten already.
    public func reading(of task: TaskID, in epoch: Epoch) throws -> EpochReading? {
        let statement = try Statement(
            database, "SELECT epoch, committed_at, offsets FROM epoch_offsets WHERE epoch <= ? ORDER BY epoch DESC")
        try statement.bind(.integer(Int64(clamping: epoch.number)))
        defer { statement.reset() }
        var own: (committedAt: Int64, to: Int64)?
        while try statement.step() {
            let isOwn = try statement.epoch(0) == epoch
            if own == nil && !isOwn { return nil }
            guard let offset = try offset(of: task, in: statement.blob(2)) else {
                if isOwn { return nil }
                continue
            }
            guard let own else {
                own = (try statement.clock(1), offset)
                continue
            }
            return EpochReading(committedAt: own.committedAt, from: offset, to: own.to)
        }
        return own.map { EpochReading(committedAt: $0.committedAt, from: nil, to: $0.to) }
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
    public func windowsClosed(by task: TaskID, in epoch: Epoch) throws -> [(table: StoredTable, start: EventTime)]? {
        guard let stored = tasks.first(where: { $0.id == task }) else { return nil }
        let statement = try Statement(
            database, "SELECT state_table, bytes FROM delta WHERE task = ? AND epoch = ? ORDER BY state_table, sequence")
        try statement.bind(.integer(stored.number), .integer(Int64(epoch.number)))
        var isKnown = false
        var closed: [(StoredTable, EventTime)] = []
        while try statement.step() {
            isKnown = true
            guard let table = tables.first(where: { $0.id == statement.integer(0) }) else { throw damaged("a delta of an unknown table") }
            let isWhole = StateDelta.forEachChange(in: statement.blob(1)) { change in
                if case .windowClosed(let prefix) = change, let start = WindowKey.start(of: prefix) { closed.append((table, start)) }
            }
            guard isWhole else { throw damaged("a delta of table \(table.fullName) can't be read") }
        }
        return isKnown ? closed : nil
    }

    /// What a manifest says of this state.
    public func checkpointFacts() throws -> CheckpointFacts { try CheckpointFacts(of: database) }

    /// What operators had passed over, in the order of topics, partitions and offsets.
    public func skippedRecords() throws -> [SkippedRecords] { try SkipEntries(database: database).all() }

    /// What waits to be delivered, by table.
    public func waitingRows() throws -> [String: WaitingRows] {
        var waiting: [String: WaitingRows] = [:]
        let statement = try Statement(
            database, "SELECT output_table, count(*), sum(rows), sum(length(bytes)) FROM outbox GROUP BY output_table")
        while try statement.step() {
            guard let name = outputs[statement.integer(0)] else { throw damaged("outgoing rows of an unknown table") }
            waiting[name] = WaitingRows(chunks: try statement.count(1), rows: try statement.count(2), bytes: try statement.count(3))
        }
        return waiting
    }

    /// How many rows wait that were written for each layout, all sinks together; a file of an earlier format does not say.
    public func waitingRowsByLayout() throws -> [OutputTable: Int] {
        guard try StateFormat.hasLayouts(database) else { return [:] }
        let layouts = try OutputLayouts(database)
        var waiting: [OutputTable: Int] = [:]
        let statement = try Statement(database, "SELECT layout, sum(rows) FROM outbox GROUP BY layout")
        while try statement.step() {
            guard let table = layouts.table(statement.integer(0)) else { throw damaged("outgoing rows of an unknown layout") }
            waiting[table] = try statement.count(1)
        }
        return waiting
    }

    /// The layouts of the batches between tasks that wait; a file of an earlier format does not say them.
    public func waitingMessageLayouts() throws -> [StoredMessageLayout] {
        guard try StateFormat.hasLayouts(database) else { return [] }
        let layouts = try MessageLayouts(database).stored
        var waiting: [StoredMessageLayout] = []
        let statement = try Statement(database, "SELECT DISTINCT layout FROM message ORDER BY layout")
        while try statement.step() {
            guard let found = layouts.first(where: { $0.id == statement.integer(0) }) else {
                throw damaged("a batch between tasks has an unknown layout")
            }
            waiting.append(found.layout)
        }
        return waiting
    }

    /// Batches between tasks that no task has processed: how many, and their bytes.
    public func waitingMessages() throws -> (count: Int, bytes: Int) {
        let statement = try Statement(database, "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM message")
        _ = try statement.step()
        return (Int(statement.integer(0)), Int(statement.integer(1)))
    }

    /// Bytes of changes that are not compacted into keyed rows yet.
    public func uncompactedBytes() throws -> Int {
        let mark =
            facts.format < 2
            ? ""
            : " WHERE epoch > coalesce((SELECT through FROM fold_mark AS m WHERE m.task = d.task AND m.state_table = d.state_table), 0)"
        let statement = try Statement(database, "SELECT coalesce(sum(length(bytes)), 0) FROM delta AS d\(mark)")
        _ = try statement.step()
        return Int(statement.integer(0))
    }
}
