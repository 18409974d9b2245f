import Engine

/// Counts what a job's tables hold, batch by batch; changes nothing.
package final class DeliveredRows {
    /// The rows of one batch that are in a table.
    package struct Batch: Sendable, Equatable {
        package let lineage: Lineage
        package let number: BatchNumber
        package let rows: Int
    }

    private let connection: ClickHouseConnection

    package init(_ settings: ClickHouseSettings) throws(SinkError) {
        try settings.validate()
        connection = try ClickHouseConnection(settings)
    }

    /// The batches of the job in a table, in order of lineage and number. Throws kind `missing` when the table is not there.
    package func batches(of table: String) throws(SinkError) -> [Batch] {
        let settings = connection.settings
        let place = "system.tables WHERE database = \(SQLText.string(settings.database)) AND name = \(SQLText.string(table))"
        guard try connection.rows("SELECT name FROM \(place)").count == 1 else {
            throw SinkError(
                .missing, "ClickHouse at \(settings.url) has no table \(settings.database).\(table); see to clickhouse.database")
        }
        let rows = try connection.rows(
            "SELECT toString(_lineage), toString(_batch), toString(count()) FROM \(SQLText.table(settings.database, table)) WHERE _task = \(SQLText.string(settings.task)) GROUP BY _lineage, _batch ORDER BY _lineage, _batch"
        )
        var batches: [Batch] = []
        for row in rows {
            guard row.count == 3, let lineage = UInt32(row[0]), let number = UInt64(row[1]), let count = Int(row[2]) else {
                throw SinkError(.retry, "ClickHouse answered the batches of \(table) without numbers")
            }
            batches.append(Batch(lineage: Lineage(lineage), number: BatchNumber(number), rows: count))
        }
        return batches
    }
}
