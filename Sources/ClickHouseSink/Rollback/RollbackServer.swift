/// What a rollback has to know of the server.
struct RollbackServer {
    let dialect: ServerDialect
    /// The engines of the tables that are there, by name.
    let engines: [String: String]
    /// Whether `system.mutations` says why a mutation fails; 18.16's does not.
    let tellsFailures: Bool

    /// Throws when the server can't be asked or refuses.
    init(_ connection: ClickHouseConnection, tables: [String], _ isCancelled: () -> Bool) throws(SinkError) {
        dialect = try ServerDialect.detect(connection)
        let names = tables.map(SQLText.string).joined(separator: ", ")
        let database = SQLText.string(connection.settings.database)
        let found =
            tables.isEmpty
            ? []
            : try connection.rows(
                "SELECT name, engine FROM system.tables WHERE database = \(database) AND name IN (\(names))", isCancelled: isCancelled)
        engines = Dictionary(found.map { ($0[0], $0[1]) }) { first, _ in first }
        tellsFailures = try !connection.rows(
            "SELECT 1 FROM system.columns WHERE database = 'system' AND table = 'mutations' AND name = 'latest_fail_reason'",
            isCancelled: isCancelled
        ).isEmpty
    }
}
