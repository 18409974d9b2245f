import Engine

/// Whether the user may do what a job does, found out without doing it.
struct UserRights {
    let connection: ClickHouseConnection
    let dialect: ServerDialect

    private var settings: ClickHouseSettings { connection.settings }

    /// Throws `denied` when the user may not insert into the table or count its rows.
    func requireDelivery(to layout: TableLayout) throws(SinkError) {
        let provenance = Provenance.columns.map { SQLText.identifier($0.name) }.joined(separator: ", ")
        try explained("read the rows of", "SELECT", layout.quotedName) { () throws(SinkError) in
            _ = try connection.rows("SELECT \(provenance) FROM \(layout.quotedName) LIMIT 0")
        }
        try explained("insert into", "INSERT", layout.quotedName) { () throws(SinkError) in try insertNothing(layout) }
    }

    /// An INSERT of no row: it is judged as any other, and leaves nothing behind.
    private func insertNothing(_ layout: TableLayout) throws(SinkError) {
        let nothing = SinkBatch(
            table: layout.table.name, lineage: .first, number: BatchNumber(1), layout: layout.table, partition: 0, chunks: [])
        let encoder = BatchEncoder(layout, task: settings.task)
        let body: UnsafeRawBufferPointer
        do {
            body = try encoder.encode(nothing)
        } catch {
            throw SinkError(.bug, "a block without rows can't be encoded for \(layout.name)", cause: error)
        }
        let parameters =
            [(name: "wait_end_of_query", value: "1")] + (dialect.settings.contains("async_insert") ? [("async_insert", "0")] : [])
        let answer = withExtendedLifetime(encoder) {
            connection.insert(layout.insertStatement, parameters: parameters, body: body) { false }
        }
        switch answer {
        case .success(let body) where body.isEmpty: return
        case .success(let body): throw refused(ServerRefusal(status: 200, text: String(decoding: body, as: UTF8.self)), layout.name)
        case .refused(let refusal): throw refused(refusal, layout.name)
        case .broken(let error):
            throw SinkError(.retry, "ClickHouse at \(settings.url) gave no answer to an INSERT of no row into \(layout.name)", cause: error)
        }
    }

    private func refused(_ refusal: ServerRefusal, _ table: String) -> SinkError {
        SinkError(refusal.kind, "ClickHouse at \(settings.url) refused an INSERT of no row into \(table): \(refusal)")
    }

    /// Throws `denied` when the user may not create the table, or the database that it is to be in, as far as the server says: those
    /// before 24.10 tell only of users that may change or create nothing.
    func requireCreation(of table: String) throws(SinkError) {
        try require("CREATE TABLE", to: "create", on: SQLText.table(settings.database, table))
        let database = SQLText.string(settings.database)
        guard try connection.rows("SELECT 1 FROM system.databases WHERE name = \(database)").isEmpty else { return }
        try require("CREATE DATABASE", to: "create", on: SQLText.identifier(settings.database) + ".*")
    }

    /// Throws `denied` when the user may not delete rows of the table, as far as the server says.
    func requireRollback(from table: TableFacts) throws(SinkError) {
        try require("ALTER DELETE", to: "delete rows of", on: table.quotedName)
    }

    private func require(_ right: String, to what: String, on table: String) throws(SinkError) {
        if try connection.rows("SELECT 1 FROM system.settings WHERE name = 'readonly' AND value != '0'").count > 0 {
            throw denied(what, right, table, SinkError(.denied, "its profile is readonly"))
        }
        if try connection.rows("SELECT 1 FROM system.settings WHERE name = 'allow_ddl' AND value = '0'").count > 0 {
            throw denied(what, right, table, SinkError(.denied, "its profile has allow_ddl = 0"))
        }
        switch connection.send("CHECK GRANT \(right) ON \(table)") {
        case .success(let body):
            guard SQLText.rows(tabSeparated: body).first?.first == "0" else { return }
            throw denied(what, right, table, SinkError(.denied, "it has not been granted that"))
        // The server does not know the question; a run finds out.
        case .refused: return
        case .broken(let error): throw connection.noAnswer(error)
        }
    }

    private func explained(_ what: String, _ right: String, _ table: String, _ body: () throws(SinkError) -> Void) throws(SinkError) {
        do {
            try body()
        } catch {
            throw error.kind == .denied ? denied(what, right, table, error) : error
        }
    }

    private func denied(_ what: String, _ right: String, _ table: String, _ cause: SinkError) -> SinkError {
        SinkError(
            .denied,
            "the user \(settings.user) may not \(what) \(table): GRANT \(right) ON \(table) TO \(SQLText.identifier(settings.user)), or, where rights are kept in users.xml, take the user's profile off readonly and allow_ddl = 0",
            cause: cause
        )
    }
}
