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
        tablePrefix = BatchName.prefix(settings, table: table)
        queryID = "\(tablePrefix)\(lineage)/\(batch)"
    }

    static func prefix(_ settings: ClickHouseSettings, table: String) -> String { "\(settings.task)/\(settings.database).\(table)/" }

    /// An SQL condition on `query_id` that holds for the table's batches of lineages before `lineage`.
    static func isEarlier(than lineage: Lineage, _ settings: ClickHouseSettings, table: String) -> String {
        let prefix = prefix(settings, table: table)
        let rest = "substring(query_id, \(prefix.utf8.count + 1))"
        return "(position(query_id, \(SQLText.string(prefix))) = 1 AND toUInt32OrZero(splitByChar('/', \(rest))[1]) < \(lineage))"
    }

    init(_ settings: ClickHouseSettings, _ batch: SinkBatch) {
        self.init(settings, table: batch.table, lineage: batch.lineage, batch: batch.number)
    }
}
