import Engine

/// How rows of one layout go into a table as it is on the server, found to be able to take them.
struct TableLayout: Equatable {
    struct Column: Equatable {
        let name: String
        /// As the server writes it.
        let type: String
        let encoding: ColumnEncoding
    }

    let table: OutputTable
    let facts: TableFacts
    /// The layout's columns in their order, then the provenance.
    let columns: [Column]
    let partitioning: RowPartitioning
    /// False where engine or key allow no more than at-least-once, and the settings accept that.
    let isExactlyOnce: Bool

    var name: String { facts.name }
    var quotedName: String { facts.quotedName }
    var engine: String { facts.engine }
    var partitionKey: String { facts.partitionKey }

    var insertStatement: String {
        "INSERT INTO \(quotedName) (\(columns.map { SQLText.identifier($0.name) }.joined(separator: ", "))) FORMAT Native"
    }
}
