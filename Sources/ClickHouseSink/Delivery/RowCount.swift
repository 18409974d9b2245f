import Engine

/// Counts a batch's rows in its table.
struct RowCount {
    let connection: ClickHouseConnection
    let dialect: ServerDialect

    /// How many rows of the batch are in the table, as this server's replica has it after it caught up.
    /// Throws when the server can't be asked or refuses.
    func count(_ batch: SinkBatch, in table: TableFacts, isCancelled: () -> Bool) throws(SinkError) -> Int {
        let rows = try answer("SELECT count()", batch, table, isCancelled: isCancelled)
        guard let number = rows.first?.first.flatMap({ Int($0) }) else {
            throw SinkError(.retry, "ClickHouse answered a count of \(table.name) without a number")
        }
        return number
    }

    /// How often each `_row` of the batch is in the table.
    func rows(_ batch: SinkBatch, in table: TableFacts, isCancelled: () -> Bool) throws(SinkError) -> [UInt32: Int] {
        let rows = try answer("SELECT _row, count()", batch, table, suffix: "GROUP BY _row", isCancelled: isCancelled)
        var found: [UInt32: Int] = [:]
        for row in rows {
            guard row.count == 2, let number = UInt32(row[0]), let times = Int(row[1]) else {
                throw SinkError(.retry, "ClickHouse answered the row numbers of \(table.name) without numbers")
            }
            found[number] = times
        }
        return found
    }

    private func answer(
        _ select: String, _ batch: SinkBatch, _ table: TableFacts, suffix: String = "", isCancelled: () -> Bool
    ) throws(SinkError) -> [[String]] {
        let condition = BatchRows(batch, task: connection.settings.task, in: table).condition
        return try CaughtUpRead(connection: connection, dialect: dialect, quotedName: table.quotedName, engine: table.engine)
            .rows("\(select) FROM \(table.quotedName) WHERE \(condition) \(suffix)", isCancelled: isCancelled)
    }
}
