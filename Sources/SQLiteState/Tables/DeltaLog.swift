import Engine

/// A row of `delta` without its changes.
struct DeltaRow {
    let number: Int64
    let group: RecordGroup
    let epoch: Epoch
    let bytes: Int
    /// It is in the keyed rows, and kept for the next checkpoint.
    let isCompacted: Bool
}

/// The table `delta`: changes in order of epochs, one blob a task and table; those that are not compacted yet, and compacted ones that the
/// next checkpoint takes.
struct DeltaLog {
    static let name = "delta"
    static let create = """
        CREATE TABLE delta (
            sequence INTEGER PRIMARY KEY, task INTEGER NOT NULL, state_table INTEGER NOT NULL, epoch INTEGER NOT NULL,
            bytes BLOB NOT NULL
        );
        """

    let database: Database
    private let schema: String
    private let insert: KeptStatement

    /// `schema`: of the connection, where it is another file's than its own.
    init(_ database: Database, schema: String = "main") {
        self.database = database
        self.schema = schema
        insert = KeptStatement(database, "INSERT INTO delta (sequence, task, state_table, epoch, bytes) VALUES (?, ?, ?, ?, ?)")
    }

    func add(_ changes: ByteView, number: Int64, of group: RecordGroup, _ epoch: Epoch) throws {
        try insert.run(.integer(number), .integer(group.task), .integer(group.table), .integer(Int64(epoch.number)), .blob(changes))
    }

    /// Hands over every row in order of numbers, in one look at the table.
    func forEachRow(_ body: (DeltaRow) throws -> Void) throws {
        let marks = try CompactionMarks(database: database).all()
        try database.forEachRow("SELECT sequence, task, state_table, epoch, length(bytes) FROM \(schema).delta ORDER BY sequence") { row in
            let group = RecordGroup(task: row.integer(1), table: row.integer(2))
            try body(
                DeltaRow(
                    number: try row.rowNumber(0), group: group, epoch: try row.epoch(3), bytes: row.isNull(4) ? 0 : try row.count(4),
                    isCompacted: marks[group].map { row.integer(3) <= $0 } ?? false
                ))
        }
    }

    func numbers() throws -> [Int64] { try database.rows("SELECT sequence FROM delta ORDER BY sequence") { $0.integer(0) } }

    /// What `forEachRow` hands over of the rows up to a number, but for their groups, until `body` says that it has enough.
    func forEachOldest(through last: Int64, _ body: ((number: Int64, epoch: Epoch, bytes: Int)) throws -> Bool) throws {
        let row = try Statement(database, "SELECT sequence, epoch, length(bytes) FROM delta WHERE sequence <= ? ORDER BY sequence")
        try row.bind(.integer(last))
        while try row.step(), try body((row.integer(0), try row.epoch(1), Int(row.integer(2)))) {}
    }

    /// Hands over what the rows of these numbers hold, in order, each until the next.
    func forEachChanges(of numbers: some Sequence<Int64>, _ body: (ByteView) throws -> Void) throws {
        let select = try Statement(database, "SELECT bytes FROM \(schema).delta WHERE sequence = ?")
        defer { select.reset() }
        for number in numbers {
            try select.bind(.integer(number))
            guard try select.step() else {
                throw StateError(
                    .corrupt, "the state file \(database.path) is damaged: delta \(number) is not there any more; \(StateError.wayOut)")
            }
            try body(select.blob(0))
        }
    }

    /// Hands over what a task changed in an epoch, by the tables' numbers and in their order.
    func forEachChanges(of task: Int64, in epoch: Epoch, _ body: (_ table: Int64, ByteView) throws -> Void) throws {
        try database.forEachRow(
            "SELECT state_table, bytes FROM delta WHERE task = ? AND epoch = ? ORDER BY state_table, sequence", .integer(task),
            .integer(Int64(epoch.number))
        ) { try body($0.integer(0), $0.blob(1)) }
    }

    /// Hands over what was changed in a table, until `body` says that it has enough.
    func forEachChanges(ofTable table: Int64, _ body: (ByteView) throws -> Bool) throws {
        let row = try Statement(database, "SELECT bytes FROM \(schema).delta WHERE state_table = ? ORDER BY sequence")
        try row.bind(.integer(table))
        while try row.step(), try body(row.blob(0)) {}
    }

    func remove(_ numbers: some Sequence<Int64>) throws {
        let delete = try Statement(database, "DELETE FROM delta WHERE sequence = ?")
        for number in numbers { try delete.run(.integer(number)) }
    }

    func remove(through number: Int64) throws { try database.run("DELETE FROM delta WHERE sequence <= ?", .integer(number)) }

    func removeAll() throws { try database.execute("DELETE FROM main.delta") }

    /// 0 when there is none.
    func lastNumber() throws -> Int64 { try database.integer("SELECT coalesce(max(sequence), 0) FROM \(schema).delta") }

    func lastNumber(through epoch: Epoch) throws -> Int64 {
        try database.first("SELECT coalesce(max(sequence), 0) FROM delta WHERE epoch <= ?", .integer(Int64(epoch.number))) { $0.integer(0) }
            ?? 0
    }

    /// Bytes of all changes.
    func byteCount() throws -> Int64 { try database.integer("SELECT coalesce(sum(length(bytes)), 0) FROM \(schema).delta") }

    /// Whether all changes are of epochs after `from`, up to `end`.
    func isWithin(after from: Epoch, through end: Epoch) throws -> Bool {
        let strangers = "SELECT count(*) FROM \(schema).delta WHERE epoch <= ? OR epoch > ?"
        return try database.first(strangers, .integer(Int64(from.number)), .integer(Int64(end.number))) { $0.integer(0) } == 0
    }

    /// Copies rows with numbers after `number` into another of the connection's files, at most `limit`.
    func copy(to other: String, after number: Int64, limit: Int64) throws {
        try database.run(
            "INSERT INTO \(other).delta SELECT * FROM main.delta WHERE sequence > ? ORDER BY sequence LIMIT ?", .integer(number),
            .integer(limit))
    }

    /// Adds those of another of the connection's files, numbered anew: rows of earlier epochs may have larger numbers here.
    func append(from other: String) throws {
        try database.execute(
            "INSERT INTO main.delta (task, state_table, epoch, bytes) SELECT task, state_table, epoch, bytes FROM \(other).delta ORDER BY sequence"
        )
    }
}
