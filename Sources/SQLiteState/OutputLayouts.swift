import Engine

/// Output tables as the state file knows them from the job's versions that declared them: what rows that wait were written for.
struct OutputLayouts {
    static let name = "output_layout"
    static let create = """
        -- columns: a JSON array of {"name", "type"}, order_by one of names; job_version: the first that declared it so.
        CREATE TABLE output_layout (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, job_version INTEGER NOT NULL, time_column TEXT NOT NULL, order_by TEXT NOT NULL,
            topic TEXT NOT NULL, key_column TEXT, columns TEXT NOT NULL
        );
        """

    /// In the order in which they were first declared.
    private(set) var all: [(id: Int64, layout: StoredOutputLayout)] = []
    /// Of the job at hand, by table.
    private var declared: [String: (id: Int64, table: OutputTable)] = [:]

    /// What stands in a row's place for a layout that is still to be found out: a file of an earlier format does not say it.
    static let unknown: Int64 = 0

    /// None of a file of an earlier format, which does not say them.
    init(_ database: Database) throws {
        guard try StateFormat.hasLayouts(database) else { return }
        all = try database.rows(
            "SELECT id, name, job_version, time_column, order_by, topic, key_column, columns FROM output_layout ORDER BY id"
        ) { row in
            guard let order = SchemaText.names(fromJSON: row.text(4)), let columns = OutputLayouts.columns(fromJSON: row.text(7)) else {
                throw StateError(
                    .incompatible,
                    "output table \(row.text(1)) in \(database.path) has columns of types that this version does not know; use the version that wrote it, or a newer one"
                )
            }
            let table = OutputTable(
                stored: row.text(1), timeColumn: row.text(3), orderBy: order, topic: row.text(5),
                keyColumn: row.isNull(6) ? nil : row.text(6), columns: columns
            )
            guard let table else {
                throw StateError(
                    .corrupt,
                    "the state file \(database.path) is damaged: what it says of output table \(row.text(1)) is no table; \(StateError.wayOut)"
                )
            }
            return (try row.rowNumber(0), StoredOutputLayout(table: table, jobVersion: try row.version(2)))
        }
    }

    func table(_ id: Int64) -> OutputTable? { all.first { $0.id == id }?.layout.table }

    /// Of a table of this name, without a sink's; those that were declared first before the others.
    func tables(named name: String) -> [OutputTable] { all.map(\.layout.table).filter { $0.name == name } }

    /// The number of the layout; nil when it is not in the file.
    func id(of table: OutputTable) -> Int64? {
        if let known = declared[table.name], known.table == table { return known.id }
        return all.first { $0.layout.table == table }?.id
    }

    /// Makes sure that the file has the tables as this version declares them. Must run inside a transaction.
    mutating func declare(_ tables: [OutputTable], version: Int, in database: Database) throws {
        for table in tables {
            let id = try self.id(of: table) ?? add(table, version, database)
            declared[table.name] = (id, table)
        }
    }

    private mutating func add(_ table: OutputTable, _ version: Int, _ database: Database) throws -> Int64 {
        try database.run(
            "INSERT INTO output_layout (name, job_version, time_column, order_by, topic, key_column, columns) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .text(table.name), .integer(Int64(version)), .text(table.timeColumn), .text(SchemaText.json(table.orderBy)), .text(table.topic),
            table.keyColumn.map { .text($0) } ?? .null,
            .text(SchemaText.json(table.columns.map { (name: $0.name, type: $0.type.rawValue) }))
        )
        let id = database.lastRowID
        all.append((id, StoredOutputLayout(table: table, jobVersion: version)))
        return id
    }

    private static func columns(fromJSON text: String) -> [OutputColumn]? {
        guard let stored = SchemaText.typedNames(fromJSON: text) else { return nil }
        let known = stored.compactMap { column in OutputType(rawValue: column.type).map { OutputColumn(column.name, $0) } }
        return known.count == stored.count ? known : nil
    }
}

/// An output table as a version of the job declared it.
package struct StoredOutputLayout: Sendable, Equatable {
    package let table: OutputTable
    /// The first version of the job that declared it so.
    package let jobVersion: Int
}
