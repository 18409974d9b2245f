import Engine

/// Reads a table as this server's replica has it after it caught up with the others.
struct CaughtUpRead {
    let connection: ClickHouseConnection
    let dialect: ServerDialect
    let quotedName: String
    let engine: String

    /// The answer's rows, each its fields; `sql` must not name a format. Throws when the server can't be asked or refuses.
    func rows(_ sql: String, isCancelled: () -> Bool) throws(SinkError) -> [[String]] {
        if engine.begins(with: "Replicated") {
            let lightweight = dialect.hasLightweightSync ? " LIGHTWEIGHT" : ""
            try connection.execute("SYSTEM SYNC REPLICA \(quotedName)\(lightweight)", isCancelled: isCancelled)
        }
        let parameters = engine.begins(with: "Shared") ? [("select_sequential_consistency", "1")] : []
        return try connection.rows(sql, parameters: parameters, isCancelled: isCancelled)
    }
}
