import Engine

/// A chunk of outgoing rows as its row says.
struct StoredChunk {
    let number: Int64
    let task: Int64
    let table: Int64
    let epoch: Epoch
    /// Which it is of the task's of that epoch.
    let sequence: Int
    let partition: Int32
    let rowCount: Int
    let layout: Int64
    let bytes: [UInt8]
}

/// The table `outbox`: rows that are not known to be delivered.
struct OutboxRows {
    static let name = "outbox"
    static let create = """
        CREATE TABLE outbox (
            sequence INTEGER PRIMARY KEY, task INTEGER NOT NULL, output_table INTEGER NOT NULL, epoch INTEGER NOT NULL,
            chunk INTEGER NOT NULL, partition INTEGER NOT NULL, rows INTEGER NOT NULL, layout INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        """
    static let createFormat2 = """
        CREATE TABLE outbox (
            sequence INTEGER PRIMARY KEY, task INTEGER NOT NULL, output_table INTEGER NOT NULL, epoch INTEGER NOT NULL,
            chunk INTEGER NOT NULL, partition INTEGER NOT NULL, rows INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        """
    /// What waits gets the layout 0, which is none.
    static let upgradeOfFormat2 = """
        ALTER TABLE outbox RENAME TO outbox_2;
        \(create)
        INSERT INTO outbox (sequence, task, output_table, epoch, chunk, partition, rows, layout, bytes)
            SELECT sequence, task, output_table, epoch, chunk, partition, rows, 0, bytes FROM outbox_2;
        DROP TABLE outbox_2;
        """

    let database: Database
    private let insert: KeptStatement
    private let delete: KeptStatement

    init(_ database: Database) {
        self.database = database
        insert = KeptStatement(
            database,
            "INSERT INTO outbox (task, output_table, epoch, chunk, partition, rows, layout, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        delete = KeptStatement(database, "DELETE FROM outbox WHERE sequence = ?")
    }

    /// Returns the row's number.
    func add(_ chunk: OutboxChunk, of task: Int64, table: Int64, layout: Int64, in epoch: Epoch) throws -> Int64 {
        try chunk.bytes.withUnsafeBytes { bytes in
            try insert.run(
                .integer(task), .integer(table), .integer(Int64(epoch.number)), .integer(Int64(chunk.id.sequence)),
                .integer(Int64(chunk.partition)),
                .integer(Int64(chunk.rowCount)), .integer(layout), .blob(ByteView(bytes))
            )
        }
        return database.lastRowID
    }

    func remove(_ number: Int64) throws { try delete.run(.integer(number)) }

    func removeAll() throws { try database.execute("DELETE FROM outbox") }

    func forEach(_ body: (StoredChunk) throws -> Void) throws {
        try database.forEachRow("SELECT sequence, task, output_table, epoch, chunk, partition, rows, layout, bytes FROM outbox") { row in
            try body(
                StoredChunk(
                    number: try row.rowNumber(0), task: row.integer(1), table: row.integer(2), epoch: try row.epoch(3),
                    sequence: try row.count(4),
                    partition: try row.tablePartition(5), rowCount: try row.count(6), layout: row.integer(7), bytes: row.blob(8).copy()
                ))
        }
    }

    /// Whether rows for this table wait.
    func waits(forTable table: Int64) throws -> Bool {
        try database.first("SELECT 1 FROM outbox WHERE output_table = ? LIMIT 1", .integer(table)) { _ in true } ?? false
    }

    /// Whether rows of this layout wait.
    func waits(ofLayout layout: Int64) throws -> Bool {
        try database.first("SELECT 1 FROM outbox WHERE layout = ? LIMIT 1", .integer(layout)) { _ in true } ?? false
    }

    /// Gives rows for a table, whose layout is unknown, one.
    func set(layout: Int64, ofTable table: Int64) throws {
        try database.run(
            "UPDATE outbox SET layout = ? WHERE layout = ? AND output_table = ?", .integer(layout), .integer(OutputLayouts.unknown),
            .integer(table))
    }

    /// What waits, by the numbers of the tables.
    func waitingByTable() throws -> [(table: Int64, rows: WaitingRows)] {
        try database.rows("SELECT output_table, count(*), sum(rows), sum(length(bytes)) FROM outbox GROUP BY output_table") { row in
            (row.integer(0), WaitingRows(chunks: try row.count(1), rows: try row.count(2), bytes: try row.count(3)))
        }
    }

    /// How many rows wait, by the numbers of the layouts.
    func waitingByLayout() throws -> [(layout: Int64, rows: Int)] {
        try database.rows("SELECT layout, sum(rows) FROM outbox GROUP BY layout") { ($0.integer(0), try $0.count(1)) }
    }
}
