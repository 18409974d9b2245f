import Engine

extension ClickHouseSink {
    /// Gives `take` every batch that a table holds of this job, in the order of lineages and numbers; of one lineage when
    /// it is named. Rows that a running INSERT adds meanwhile may be seen or not. Works on tables that were not opened.
    /// Throws `missing` when there is no such table, `retry` when the server gives no answer, and what `take` throws.
    public func deliveredBatches(of table: OutputTable, lineage: Lineage? = nil, _ take: (DeliveredBatch) throws -> Void) throws {
        let connection = try ClickHouseConnection(settings)
        let dialect = try ServerDialect.detect(connection)
        try DeliveredBatches(settings, table: table.name, lineage: lineage, dialect: dialect, connection: connection).forEach(take)
    }
}
