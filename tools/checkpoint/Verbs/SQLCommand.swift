import ArgumentParser
import SQLiteState

/// `checkpoint sql`
struct SQLCommand: CheckpointVerb {
    static let configuration = verb(
        "sql", abstract: "Runs a read-only SQL query (SQLite's) over a checkpoint.",
        discussion: """
            Each state table is there under its name, or as "stage.name": partition, window, key, timer, then the record's fields. \
            Times are texts such as 2025-01-15T12:00:00.000Z; sets, counts and lists are JSON, for json_each. A condition on key \
            looks up, one on window reads that window alone. Without a query, lists the tables and their columns.
            """
    )

    static let operands = [VerbOperand(name: "query", help: "one SELECT", isOptional: true)]
    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<SQLCommand>

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let checkpoint = try source.open(reference)
        let report = Report("sql", output)
        guard let query = optionalOperand(0) else { return list(checkpoint.reader, report) }
        let rows = try StateQuery(checkpoint.reader, query)
        report.section("rows", rows.columns.map { ReportColumn($0) })
        while let row = try rows.next() { report.row(row.map(Cell.init)) }
        report.finish()
    }

    private func list(_ reader: StateReader, _ report: Report) {
        report.section("columns", ["table", "column", "type"].map { ReportColumn($0) })
        for table in reader.tables {
            for column in table.columns {
                report.row([.text(table.fullName), .text(column.name), .text(column.isInteger ? "INTEGER" : "TEXT")])
            }
        }
        report.finish()
    }
}
