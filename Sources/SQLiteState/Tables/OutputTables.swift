import Engine

/// The table `output_table`: the tables that rows go to, `table@sink` for another sink than the job's first.
struct OutputTables {
    static let name = "output_table"
    static let create = "CREATE TABLE output_table (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"

    let database: Database

    /// By number. Their names go into statements that a server runs.
    func all() throws -> [Int64: String] {
        try Dictionary(
            database.rows("SELECT id, name FROM output_table") { row in
                guard PlainName.isOutputTable(row.text(1)) else {
                    throw StateError(
                        .corrupt,
                        "the state file \(database.path) is damaged: \(quotedJSON(row.text(1))) is no name of an output table; \(StateError.wayOut)"
                    )
                }
                return (try row.rowNumber(0), row.text(1))
            }
        ) { $1 }
    }

    func inOrder() throws -> [(id: Int64, name: String)] { try all().sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// Returns the table's number.
    @discardableResult
    func add(_ name: String) throws -> Int64 {
        try database.run("INSERT INTO output_table (name) VALUES (?)", .text(name))
        return database.lastRowID
    }
}
