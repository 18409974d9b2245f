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
