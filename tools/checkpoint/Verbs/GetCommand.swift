import ArgumentParser
import SQLiteState

/// `checkpoint get`
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows the record of a key; of a windowed table, one for each window it is in.",
        discussion: "Ends with 10 when there is none."
    )

    @OptionGroup var arguments: TableArguments

    @Argument(help: "The key, as text, or as hex after 0x.")
    var key: String

    @OptionGroup var window: WindowOption
    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try keyBytes(key, "key")
        let checkpoint = try source.open(arguments.reference)
        let table = try checkpoint.reader.table(named: arguments.table)
        let found = try checkpoint.reader.lookup(bytes, in: table, window: try window.start(in: table))
        guard !found.isEmpty else {
            let place = window.window.map { " in the window of \($0)" } ?? ""
            throw ToolError(.missing, "table \(table.fullName) has no record of key \(key)\(place)")
        }
        let report = Report("get", output)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("table", .text(table.fullName))
        let rows = RecordRows(table: table)
        report.section("records", rows.columns, isVertical: true)
        for record in found { report.row(try record.withRow { try rows.cells($0) }) }
        report.finish()
    }
}
