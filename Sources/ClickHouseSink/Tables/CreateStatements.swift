import Engine

/// The statements that create a job's database and tables, in the types that a server has.
package struct CreateStatements: Sendable {
    package let database: String
    package let dialect: ServerDialect

    package init(database: String, dialect: ServerDialect) {
        self.database = database
        self.dialect = dialect
    }

    /// Creates the database unless it is there.
    package var createDatabase: String { "CREATE DATABASE IF NOT EXISTS \(SQLText.identifier(database))" }

    /// Creates a table unless one of its name is there.
    package func createTable(_ table: OutputTable) -> String {
        let time = SQLText.identifier(table.timeColumn)
        let own = table.columns.map { (SQLText.identifier($0.name), definition(of: $0)) }
        let derived = [("`date`", "Date MATERIALIZED toDate(\(time))"), ("`hour`", "UInt8 MATERIALIZED toHour(\(time))")]
        let provenance = Provenance.columns.map { (SQLText.identifier($0.name), definition(of: $0)) }
        var lines = (own + derived + provenance).map { "    \($0) \($1)" }
        if dialect.hasSkippingIndices {
            lines.append("    INDEX `_batch_range` (`_lineage`, `_batch`) TYPE minmax GRANULARITY 1")
        }
        let key = table.orderBy.map(SQLText.identifier).joined(separator: ", ")
        return """
            CREATE TABLE IF NOT EXISTS \(SQLText.table(database, table.name)) (
            \(lines.joined(separator: ",\n"))
            )
            ENGINE = MergeTree
            PARTITION BY toYYYYMM(\(time))
            ORDER BY (\(key))\(tableSettings)
            """
    }

    /// Every statement, to be run in this order.
    package func script(_ tables: [OutputTable]) -> String { CreateStatements.script([createDatabase] + tables.map(createTable)) }

    static func script(_ statements: [String]) -> String { statements.map { $0 + ";\n" }.joined(separator: "\n") }

    /// The types that a created table has.
    func createdColumns(of table: OutputTable) -> [String: ColumnType] {
        Dictionary(uniqueKeysWithValues: (table.columns + Provenance.columns).map { ($0.name, ColumnType(type(of: $0))) })
    }

    /// Batches that the server remembers, so that it drops one that arrives twice; a second net, never the proof.
    private var tableSettings: String {
        dialect.tableSettings.contains("non_replicated_deduplication_window")
            ? "\nSETTINGS non_replicated_deduplication_window = 10000" : ""
    }

    /// The type that a created column gets.
    package func type(of column: OutputColumn) -> String {
        switch column {
        case Provenance.task: return dialect.hasLowCardinality ? "LowCardinality(String)" : "String"
        case Provenance.lineage, Provenance.row: return "UInt32"
        default: return type(column.type)
        }
    }

    /// A column's type and default, as CREATE and ALTER write them. A version of the job that does not know the column can
    /// insert because of the default. It is said with every change of a type, because 18.16 drops a default that is not.
    func definition(of column: OutputColumn) -> String { definition(of: column, type(of: column)) }

    /// The definition in a type that every value of the column fits into, where its usual one may be too narrow.
    func widestDefinition(of column: OutputColumn) -> String {
        definition(of: column, column.type == .amount ? "Decimal(38, 2)" : type(of: column))
    }

    private func definition(of column: OutputColumn, _ type: String) -> String {
        // An empty text would be no JSON.
        let value = column.type == .textCounts && !dialect.hasMap ? "'{}'" : ColumnType(type).emptyValue
        return value.map { "\(type) DEFAULT \($0)" } ?? type
    }

    private func type(_ output: OutputType) -> String {
        switch output {
        case .text: "String"
        case .count: "UInt64"
        case .number: "Float64"
        case .flag: dialect.hasBool ? "Bool" : "UInt8"
        case .time: dialect.hasDateTime64 ? "DateTime64(3, 'UTC')" : "DateTime('UTC')"
        case .amount: "Decimal(18, 2)"
        case .sum: "Decimal(38, 2)"
        case .textCounts: dialect.hasMap ? "Map(String, UInt32)" : "String"
        case .texts: "Array(String)"
        }
    }
}

/// The columns that name a row for ever: no two rows of a table share all four.
enum Provenance {
    /// Job and sink, `fintech/clickhouse`.
    static let task = OutputColumn("_task", .text)
    static let lineage = OutputColumn("_lineage", .count)
    static let batch = OutputColumn("_batch", .count)
    /// Counts from 0 within a batch.
    static let row = OutputColumn("_row", .count)

    /// In the order in which they follow a table's own columns.
    static let columns = [task, lineage, batch, row]
}
