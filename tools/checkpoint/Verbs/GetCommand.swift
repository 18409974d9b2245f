import ArgumentParser
import SQLiteState

/// `checkpoint get`
struct GetCommand: CheckpointVerb {
    static let configuration = verb(
        "get", abstract: "Shows the record of a key; of a windowed table, one for each window it is in.",
        discussion: "Ends with 10 when there is none."
    )

    static let operands = [VerbOperand.table, .key]

    @OptionGroup var words: CheckpointWords<GetCommand>
    @OptionGroup var window: WindowOption
    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (name, key) = (operand(0), operand(1))
        let bytes = try keyBytes(key, "key")
        let checkpoint = try source.open(reference)
        let table = try checkpoint.reader.table(named: name)
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
