import Engine

/// A sink batch as its row says.
struct BatchRow {
    let lineage: Lineage
    let number: BatchNumber
    let partition: Int32
    let rows: Int
    let frozenEpoch: Epoch
    let deliveredEpoch: Epoch?
    let deliveredAt: Int64?
    /// For each chunk in order: the number of its task, its epoch, which it is of the task's of that epoch, its rows.
    let origins: [(task: Int64, epoch: Epoch, chunk: Int, rows: Int)]
}

/// The table `batch`: sink batches, kept for a while after they were delivered; origins are varints: task, epoch, chunk and rows of each
/// chunk in order.
struct BatchLedger {
    static let name = "batch"
    static let create = """
        CREATE TABLE batch (
            output_table INTEGER NOT NULL, lineage INTEGER NOT NULL, number INTEGER NOT NULL, partition INTEGER NOT NULL,
            rows INTEGER NOT NULL, frozen_epoch INTEGER NOT NULL, delivered_epoch INTEGER, delivered_at INTEGER,
            origins BLOB NOT NULL, PRIMARY KEY (output_table, lineage, number)
        ) WITHOUT ROWID;
        """
    private static let columns = "lineage, number, partition, rows, frozen_epoch, delivered_epoch, delivered_at, origins"
    /// Backwards by the primary key: a ledger of a week is not gone through.
    private static let lastDelivered =
        "SELECT number FROM batch WHERE output_table = ?1 AND lineage = ?2 AND delivered_epoch IS NOT NULL ORDER BY number DESC LIMIT 1"
    /// The most entries that are dropped at once.
    private static let prunedAtOnce = 2048

    let database: Database
    private let insert: KeptStatement
    private let deliver: KeptStatement

    init(_ database: Database) {
        self.database = database
        insert = KeptStatement(
            database,
            "INSERT INTO batch (output_table, lineage, number, partition, rows, frozen_epoch, origins) VALUES (?, ?, ?, ?, ?, ?, ?)")
        deliver = KeptStatement(
            database, "UPDATE batch SET delivered_epoch = ?, delivered_at = ? WHERE output_table = ? AND lineage = ? AND number = ?")
    }

    /// `task`: the number of a chunk's task.
    func add(_ batch: SinkBatch, table: Int64, frozen epoch: Epoch, task: (TaskID) throws -> Int64) throws {
        var origins = ByteWriter()
        for chunk in batch.chunks {
            origins.write(varint: UInt64(try task(chunk.id.task)))
            origins.write(varint: chunk.id.epoch.number)
            origins.write(varint: UInt64(chunk.id.sequence))
            origins.write(varint: UInt64(chunk.rowCount))
        }
        try insert.run(
            .integer(table), .integer(Int64(batch.lineage.number)), .integer(Int64(batch.number.number)), .integer(Int64(batch.partition)),
            .integer(Int64(batch.rowCount)), .integer(Int64(epoch.number)), .blob(origins.view)
        )
    }

    func setDelivered(_ id: SinkBatchID, table: Int64, in epoch: Epoch, at time: Int64) throws {
        try deliver.run(
            .integer(Int64(epoch.number)), .integer(time), .integer(table), .integer(Int64(id.lineage.number)),
            .integer(Int64(id.number.number)))
    }

    /// A table's batches in order of lineages and numbers.
    func forEach(ofTable table: Int64, _ body: (BatchRow) throws -> Void) throws {
        try database.forEachRow("SELECT \(BatchLedger.columns) FROM batch WHERE output_table = ? ORDER BY lineage, number", .integer(table))
        { try body(read($0)) }
    }

    func batch(_ number: BatchNumber, _ lineage: Lineage, ofTable table: Int64) throws -> BatchRow? {
        try database.first(
            "SELECT \(BatchLedger.columns) FROM batch WHERE output_table = ? AND lineage = ? AND number = ?",
            .integer(table), .integer(Int64(lineage.number)), .integer(Int64(clamping: number.number)), read: read
        )
    }

    /// Those after the last one that was delivered, in order.
    func undelivered(_ lineage: Lineage, ofTable table: Int64) throws -> [BatchRow] {
        try database.rows(
            """
            SELECT \(BatchLedger.columns) FROM batch WHERE output_table = ?1 AND lineage = ?2 AND delivered_epoch IS NULL
            AND number > coalesce((\(BatchLedger.lastDelivered)), 0) ORDER BY number
            """,
            .integer(table), .integer(Int64(lineage.number)), read: read
        )
    }

    private func read(_ row: Statement) throws -> BatchRow {
        var origins: [(task: Int64, epoch: Epoch, chunk: Int, rows: Int)] = []
        var reader = ByteReader(row.blob(7))
        while !reader.isAtEnd {
            origins.append((Int64(truncatingIfNeeded: reader.varint()), reader.epoch(), reader.count(), reader.count()))
            guard !reader.failed else { throw database.damaged("the origins of batch \(row.integer(1))") }
        }
        return BatchRow(
            lineage: try row.lineage(0), number: try row.batchNumber(1), partition: try row.tablePartition(2), rows: try row.count(3),
            frozenEpoch: try row.epoch(4),
            deliveredEpoch: row.isNull(5) ? nil : try row.epoch(5), deliveredAt: row.isNull(6) ? nil : try row.clock(6), origins: origins
        )
    }

    /// nil when there is none.
    func lastNumber(_ lineage: Lineage, ofTable table: Int64) throws -> BatchNumber? {
        try database.first(
            "SELECT max(number) FROM batch WHERE output_table = ? AND lineage = ?", .integer(table), .integer(Int64(lineage.number))
        ) { try $0.batch(0) } ?? nil
    }

    func firstNumber(_ lineage: Lineage, ofTable table: Int64) throws -> BatchNumber? {
        try database.first(
            "SELECT min(number) FROM batch WHERE output_table = ? AND lineage = ?", .integer(table), .integer(Int64(lineage.number))
        ) { try $0.batch(0) } ?? nil
    }

    func lastDelivered(_ lineage: Lineage, ofTable table: Int64) throws -> BatchNumber? {
        try database.first(BatchLedger.lastDelivered, .integer(table), .integer(Int64(lineage.number))) { try $0.batch(0) } ?? nil
    }

    /// The number of a batch that was not delivered, though a later one was.
    func hole(_ lineage: Int64, ofTable table: Int64) throws -> Int64? {
        try database.first(
            """
            SELECT number FROM batch WHERE output_table = ?1 AND lineage = ?2 AND delivered_epoch IS NULL
            AND number < (SELECT max(number) FROM batch WHERE output_table = ?1 AND lineage = ?2 AND delivered_epoch IS NOT NULL)
            """,
            .integer(table), .integer(lineage)
        ) { $0.integer(0) }
    }

    func removeUndelivered() throws { try database.execute("DELETE FROM main.batch WHERE delivered_epoch IS NULL") }

    func removeUndelivered(_ lineage: Lineage) throws {
        try database.run("DELETE FROM batch WHERE lineage = ? AND delivered_epoch IS NULL", .integer(Int64(lineage.number)))
    }

    /// Drops batches that were delivered before a time, a bounded number at once. The last batch of a lineage stays whatever its age:
    /// its number is where the next one starts.
    func prune(ofTable table: Int64, before time: Int64) throws {
        try database.run(
            """
            DELETE FROM batch WHERE output_table = ?1 AND delivered_at < ?2
            AND (lineage, number) IN (SELECT lineage, number FROM batch WHERE output_table = ?1 ORDER BY lineage, number LIMIT \(BatchLedger.prunedAtOnce))
            AND number < (SELECT max(number) FROM batch AS others WHERE output_table = ?1 AND others.lineage = batch.lineage)
            """,
            .integer(table), .integer(time)
        )
    }

    /// Copies a table's batches that were frozen or delivered after an epoch to another of the connection's files. Batches of a table are
    /// delivered in order of their numbers, so these are the last ones.
    func copy(to other: String, _ lineage: Lineage, ofTable table: Int64, after epoch: Epoch) throws {
        let backwards = try Statement(
            database, "SELECT number, delivered_epoch FROM main.batch WHERE output_table = ? AND lineage = ? ORDER BY number DESC")
        try backwards.bind(.integer(table), .integer(Int64(lineage.number)))
        var first: Int64?
        while try backwards.step(), backwards.isNull(1) || backwards.integer(1) > Int64(epoch.number) { first = backwards.integer(0) }
        backwards.reset()
        guard let first else { return }
        try database.run(
            "INSERT INTO \(other).batch SELECT * FROM main.batch WHERE output_table = ? AND lineage = ? AND number >= ?",
            .integer(table), .integer(Int64(lineage.number)), .integer(first)
        )
    }

    /// Takes those of another of the connection's files in place of the same ones here. That one has every batch that is undelivered at its
    /// end; others of here were delivered, and maybe even pruned.
    func replace(from other: String) throws {
        try removeUndelivered()
        try database.execute("INSERT OR REPLACE INTO main.batch SELECT * FROM \(other).batch")
    }
}
