import Engine

/// What became of a table or view that a job wants.
public struct CreationOutcome: Sendable {
    public enum What: Sendable, Equatable {
        case created
        /// Something of its name is there, and is left as it is.
        case wasThere
        /// Why it can't be created, and what to do.
        case skipped(String)
    }

    public let name: String
    public let what: What
}

/// Creates what a job wants of a database and is not there; what is there is never touched.
struct TableCreation {
    let connection: ClickHouseConnection
    let dialect: ServerDialect

    private var database: String { connection.settings.database }
    private var statements: CreateStatements { CreateStatements(database: database, dialect: dialect) }

    /// Throws when the server can't be asked, or refuses the database or a table.
    func create(_ tables: [OutputTable], _ views: [OutputView]) throws(SinkError) -> [CreationOutcome] {
        let name = SQLText.string(database)
        if try connection.rows("SELECT 1 FROM system.databases WHERE name = \(name)").isEmpty {
            try connection.execute(statements.createDatabase)
        }
        let known = try knownNames()
        var outcomes: [CreationOutcome] = []
        for table in tables {
            let isThere = known.contains(table.name)
            if !isThere { try connection.execute(statements.createTable(table)) }
            outcomes.append(CreationOutcome(name: table.name, what: isThere ? .wasThere : .created))
        }
        let missing = views.filter { !known.contains($0.name) }
        let columns = try realColumns(missing)
        for view in views {
            let what = known.contains(view.name) ? .wasThere : try create(view, columns[view.table.name] ?? [:])
            outcomes.append(CreationOutcome(name: view.name, what: what))
        }
        return outcomes
    }

    /// The tables and views of the database.
    func knownNames() throws(SinkError) -> Set<String> {
        Set(try connection.rows("SELECT name FROM system.tables WHERE database = \(SQLText.string(database))").map { $0[0] })
    }

    /// The statements for what is wanted, in the types that are there; a view that can't be is a comment that says why.
    func script(_ tables: [OutputTable], _ views: [OutputView]) throws(SinkError) -> String {
        var all = [statements.createDatabase] + tables.map(statements.createTable)
        let columns = try realColumns(views)
        for view in views {
            let found = columns[view.table.name] ?? [:]
            do {
                all.append(
                    try ViewStatement(view, database: database, columns: found.isEmpty ? statements.createdColumns(of: view.table) : found)
                        .text)
            } catch {
                all.append("-- \(view.name) is left out: \(error.message)")
            }
        }
        return CreateStatements.script(all)
    }

    /// A view is a convenience: what keeps it from being created never stops a job, but for a server that gives no answer.
    private func create(_ view: OutputView, _ columns: [String: ColumnType]) throws(SinkError) -> CreationOutcome.What {
        do {
            try connection.execute(try ViewStatement(view, database: database, columns: columns).text)
            return .created
        } catch {
            guard error.kind != .retry else { throw error }
            return .skipped(error.message)
        }
    }

    /// By table and column, as the server has them.
    private func realColumns(_ views: [OutputView]) throws(SinkError) -> [String: [String: ColumnType]] {
        let inspection = TableInspection(connection: connection, dialect: dialect)
        var columns: [String: [String: ColumnType]] = [:]
        for view in views where columns[view.table.name] == nil {
            let real = try inspection.columns(of: view.table.name).map { ($0.name, ColumnType($0.type)) }
            columns[view.table.name] = Dictionary(real) { first, _ in first }
        }
        return columns
    }
}
