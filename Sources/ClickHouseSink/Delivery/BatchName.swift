import Engine

/// What a batch is called on the server: its `query_id`, which shows in `system.processes`, and what its deduplication token begins with.
struct BatchName {
    /// What the names of all batches of the table begin with: `fintech/clickhouse/database.table/`.
    let tablePrefix: String
    /// `fintech/clickhouse/database.table/<lineage>/<batch>`
    let queryID: String
    /// The name under which rows that are missing are sent again.
    var resendQueryID: String { queryID + "/missing" }

    init(_ settings: ClickHouseSettings, table: String, lineage: Lineage, batch: BatchNumber) {
        tablePrefix = "\(settings.task)/\(settings.database).\(table)/"
        queryID = "\(tablePrefix)\(lineage)/\(batch)"
    }

    init(_ settings: ClickHouseSettings, _ batch: SinkBatch) {
        self.init(settings, table: batch.table, lineage: batch.lineage, batch: batch.number)
    }
}
