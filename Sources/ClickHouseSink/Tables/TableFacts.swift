import Engine

/// A table as it is on the server, whatever is to be delivered to it.
struct TableFacts: Equatable {
    /// A column as `system.columns` has it.
    struct Column: Equatable {
        let name: String
        let type: String
        let defaultKind: String
    }

    let database: String
    let table: String
    let engine: String
    let partitionKey: String
    let columns: [Column]

    var name: String { "\(database).\(table)" }
    var quotedName: String { SQLText.table(database, table) }

    func column(_ name: String) -> Column? { columns.first { $0.name == name } }

    /// Whether the table has a column of this name that times can be compared with.
    func isTime(_ name: String) -> Bool {
        guard let type = column(name)?.type else { return false }
        return ColumnEncoding(.time, into: ColumnType(type)) != nil
    }
}

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
