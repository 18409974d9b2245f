import Engine

/// A table as it is on the server, found to be able to take an output table's rows.
struct TableLayout: Equatable {
    struct Column: Equatable {
        let name: String
        /// As the server writes it.
        let type: String
        let encoding: ColumnEncoding
    }

    let table: OutputTable
    let database: String
    let engine: String
    let partitionKey: String
    /// The output table's columns in their order, then the provenance.
    let columns: [Column]
    let partitioning: RowPartitioning
    /// False where engine or key allow no more than at-least-once, and the settings accept that.
    let isExactlyOnce: Bool

    var name: String { "\(database).\(table.name)" }
    var quotedName: String { SQLText.table(database, table.name) }

    var insertStatement: String {
        "INSERT INTO \(quotedName) (\(columns.map { SQLText.identifier($0.name) }.joined(separator: ", "))) FORMAT Native"
    }
}
