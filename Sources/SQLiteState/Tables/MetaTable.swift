import Engine

/// The table `meta`: entries by name, all of them texts.
struct MetaTable {
    static let name = "meta"
    static let create = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    /// A file of format 1 does not say who may read it.
    static let upgradeOfFormat1 = "INSERT INTO meta (name, value) SELECT 'min_reader', value FROM meta WHERE name = 'job_version';"
    /// The version of the job that wrote last, within other statements.
    static let jobVersion = "(SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'job_version')"

    let database: Database
    private let schema: String
    private let upsert: KeptStatement
    private let deleteRange: KeptStatement

    /// `schema`: of the connection, where it is another file's than its own.
    init(_ database: Database, schema: String = "main") {
        self.database = database
        self.schema = schema
        upsert = KeptStatement(
            database, "INSERT INTO \(schema).meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        deleteRange = KeptStatement(database, "DELETE FROM \(schema).meta WHERE name >= ? AND name < ?")
    }

    /// Whether a file has the table: one that is not made yet has none.
    static func exists(in database: Database) throws -> Bool {
        try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = '\(name)'") > 0
    }

    /// nil where there is no entry of that name.
    func value(_ name: String) throws -> String? {
        try database.first("SELECT value FROM \(schema).meta WHERE name = ?", .text(name)) { $0.text(0) }
    }

    func required(_ name: String) throws -> String {
        guard let value = try value(name) else {
            throw StateError(.corrupt, "the state file \(database.path) lacks its entry '\(name)'; \(StateError.wayOut)")
        }
        return value
    }

    /// Throws kind `corrupt` when the entry is no number, or outside of the bounds; nil when there is none.
    func number(_ name: String, _ bounds: ClosedRange<Int64>) throws -> Int64? {
        try value(name).map { try database.number($0, of: name, bounds) }
    }

    func requiredNumber(_ name: String, _ bounds: ClosedRange<Int64>) throws -> Int64 {
        try database.number(try required(name), of: name, bounds)
    }

    func set(_ name: String, _ value: String) throws { try upsert.run(.text(name), .text(value)) }

    func remove(_ name: String) throws { try database.run("DELETE FROM \(schema).meta WHERE name = ?", .text(name)) }

    /// What is behind the prefix, which ends with a space, of each entry that has it, and the value; in order of names.
    func entries(_ prefix: String) throws -> [(name: String, value: String)] {
        try database.rows(
            "SELECT name, value FROM \(schema).meta WHERE name >= ? AND name < ? ORDER BY name", .text(prefix), .text(end(of: prefix))
        ) { row in
            (String(decoding: row.text(0).utf8.dropFirst(prefix.utf8.count), as: UTF8.self), row.text(1))
        }
    }

    func removeEntries(_ prefix: String) throws { try deleteRange.run(.text(prefix), .text(end(of: prefix))) }

    /// The least text behind all that begin with the prefix.
    private func end(of prefix: String) -> String { prefix.dropLast() + "!" }

    /// Puts a copy in front of the table for queries of somebody's, in which the value of one entry is left out.
    func offerCopy(hiding secret: String) throws {
        try database.execute(
            """
            CREATE TEMP TABLE meta AS
                SELECT name, CASE name WHEN '\(secret)' THEN '(secret)' ELSE value END AS value FROM main.meta ORDER BY name
            """)
    }
}
