import Engine

/// Encodes batches for a table as this sink creates it, without a server: for measuring what encoding costs.
package final class CreatedTableEncoder {
    private let encoder: BatchEncoder

    package init(_ table: OutputTable, dialect: ServerDialect) {
        let statements = CreateStatements(database: "measured", dialect: dialect)
        let columns = (table.columns + Provenance.columns).map { column in
            let type = statements.type(of: column)
            guard let encoding = ColumnEncoding(column.type, into: ColumnType(type)) else {
                preconditionFailure("the created type \(type) can't take the column \(column.name)")
            }
            return TableLayout.Column(name: column.name, type: type, encoding: encoding)
        }
        let layout = TableLayout(
            table: table,
            facts: TableFacts(
                database: "measured", table: table.name, engine: "MergeTree", partitionKey: "toYYYYMM(\(table.timeColumn))", columns: []),
            columns: columns, partitioning: .month, isExactlyOnce: true
        )
        encoder = BatchEncoder(layout, task: "measured/clickhouse")
    }

    /// The bytes of the batch's block. Throws when a value does not fit.
    package func encode(_ batch: SinkBatch) throws -> Int { try encoder.encode(batch).count }
}
