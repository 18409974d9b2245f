import Engine

/// Records that lie together: one task's of one state table, by their numbers in the state file.
struct RecordGroup: Hashable {
    let task: Int64
    let table: Int64
}

/// The table `keyed`: the compacted records, one row a key.
struct KeyedRows {
    static let name = "keyed"
    static let create = """
        CREATE TABLE keyed (
            task INTEGER NOT NULL, state_table INTEGER NOT NULL, key BLOB NOT NULL, record BLOB NOT NULL,
            PRIMARY KEY (task, state_table, key)
        ) WITHOUT ROWID;
        """
    private static let ofKey = "WHERE task = ? AND state_table = ? AND key = ?"
    private static let inRange = "WHERE task = ? AND state_table = ? AND key >= ? AND key < ?"
    private static let fromKey = "FROM keyed WHERE task = ? AND state_table = ? AND key >= ? ORDER BY key"

    let database: Database
    private let select: KeptStatement
    private let upsert: KeptStatement
    private let insert: KeptStatement
    private let deleteOne: KeptStatement
    private let next: KeptStatement

    init(_ database: Database) {
        self.database = database
        select = KeptStatement(database, "SELECT record FROM keyed \(KeyedRows.ofKey)")
        upsert = KeptStatement(
            database,
            "INSERT INTO keyed (task, state_table, key, record) VALUES (?, ?, ?, ?) ON CONFLICT (task, state_table, key) DO UPDATE SET record = excluded.record"
        )
        insert = KeptStatement(database, "INSERT INTO keyed (task, state_table, key, record) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
        deleteOne = KeptStatement(database, "DELETE FROM keyed \(KeyedRows.ofKey)")
        next = KeptStatement(database, "SELECT key \(KeyedRows.fromKey) LIMIT 1")
    }

    /// Hands over the key's record; nil when it has none.
    func read<Result>(_ key: ByteView, in group: RecordGroup, _ body: (ByteView) throws -> Result) throws -> Result? {
        let row = try select.bound(.integer(group.task), .integer(group.table), .blob(key))
        defer { row.reset() }
        return try row.step() ? body(row.blob(0)) : nil
    }

    /// Hands over the records in order of keys, from `key` on, until `body` says that it has enough. It may remove the record at
    /// hand, and store some in other groups.
    func forEach(in group: RecordGroup, from key: ByteView = .null, _ body: (_ key: ByteView, _ record: ByteView) throws -> Bool) throws {
        let row = try rows(in: group, from: key)
        while try row.step(), try body(row.blob(0), row.blob(1)) {}
    }

    /// The same as a statement to step through: key and record. The key must stay where it is as long as that is used.
    func rows(in group: RecordGroup, from key: ByteView) throws -> Statement {
        let row = try Statement(database, "SELECT key, record \(KeyedRows.fromKey)")
        try row.bind(.integer(group.task), .integer(group.table), .blob(key))
        return row
    }

    /// The first key that is not before `key`.
    func firstKey(in group: RecordGroup, from key: [UInt8]) throws -> [UInt8]? {
        try key.withUnsafeBytes { bytes in
            let row = try next.bound(.integer(group.task), .integer(group.table), .blob(ByteView(bytes)))
            defer { row.reset() }
            return try row.step() ? row.blob(0).copy() : nil
        }
    }

    func store(_ record: ByteView, of key: ByteView, in group: RecordGroup) throws {
        try upsert.run(.integer(group.task), .integer(group.table), .blob(key), .blob(record))
    }

    /// False when there is a record of that key, which stays.
    func add(_ record: ByteView, of key: ByteView, to group: RecordGroup) throws -> Bool {
        try insert.run(.integer(group.task), .integer(group.table), .blob(key), .blob(record))
        return database.changes > 0
    }

    func remove(_ key: ByteView, in group: RecordGroup) throws {
        try deleteOne.run(.integer(group.task), .integer(group.table), .blob(key))
    }

    func removeAll(in group: RecordGroup) throws {
        try database.run("DELETE FROM keyed WHERE task = ? AND state_table = ?", .integer(group.task), .integer(group.table))
    }

    /// Removes about the first `limit` records from one key to before another. Returns how many those were, and whether all are gone.
    func remove(in group: RecordGroup, from: [UInt8], before end: [UInt8], limit: Int) throws -> (count: Int, isEmpty: Bool) {
        try from.withUnsafeBytes { from in
            try end.withUnsafeBytes { end in
                let (task, table, first) = (
                    Statement.Value.integer(group.task), Statement.Value.integer(group.table), Statement.Value.blob(ByteView(from))
                )
                // The key that so many others of the range precede, when there are as many.
                let boundary =
                    limit > Int(Int32.max)
                    ? nil
                    : try database.first(
                        "SELECT key FROM keyed \(KeyedRows.inRange) ORDER BY key LIMIT 1 OFFSET ?", task, table, first,
                        .blob(ByteView(end)), .integer(Int64(limit))
                    ) { $0.blob(0).copy() }
                let delete = try Statement(database, "DELETE FROM keyed \(KeyedRows.inRange)")
                guard let boundary else {
                    try delete.run(task, table, first, .blob(ByteView(end)))
                    return (database.changes, true)
                }
                try boundary.withUnsafeBytes { try delete.run(task, table, first, .blob(ByteView($0))) }
                return (database.changes, false)
            }
        }
    }

    /// How many records there are, and the bytes of their keys and themselves.
    func size(of group: RecordGroup) throws -> (records: Int, bytes: Int) {
        try database.first(
            "SELECT count(*), coalesce(sum(length(key) + length(record)), 0) FROM keyed WHERE task = ? AND state_table = ?",
            .integer(group.task), .integer(group.table)
        ) { (Int($0.integer(0)), Int($0.integer(1))) } ?? (0, 0)
    }

    /// How many records each task has.
    func countsByTask() throws -> [Int64: Int] {
        try Dictionary(database.rows("SELECT task, count(*) FROM keyed GROUP BY task") { ($0.integer(0), Int($0.integer(1))) }) { $1 }
    }

    /// How SQL says which rows are of the group.
    static func condition(of group: RecordGroup) -> String { "task = \(group.task) AND state_table = \(group.table)" }
}
