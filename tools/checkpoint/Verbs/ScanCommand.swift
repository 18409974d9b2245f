import ArgumentParser
import Engine
import SQLiteState

/// `checkpoint scan`
struct ScanCommand: CheckpointVerb {
    static let configuration = verb(
        "scan", abstract: "Shows the records of a table in the order of their keys, of a windowed one window by window."
    )

    static let operands = [VerbOperand.table]

    @OptionGroup var words: CheckpointWords<ScanCommand>

    @Option(help: "Only keys that begin so; as text, or as hex after 0x.")
    var prefix = ""

    @Option(help: "At most this many records; 0 for all.")
    var limit = 100

    @OptionGroup var window: WindowOption
    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit: expected a number from 0, found \(limit)") }
    }

    func run() throws {
        let wanted = try keyBytes(prefix, "--prefix")
        let checkpoint = try source.open(reference)
        let table = try checkpoint.reader.table(named: operand(0))
        let start = try window.start(in: table)
        let report = Report("scan", output)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("table", .text(table.fullName))
        let rows = RecordRows(table: table)
        report.section("records", rows.columns)
        // Behind a window that is not known, a prefix can't narrow what is read.
        let canNarrow = !table.isWindowed || start != nil
        let scan = try checkpoint.reader.scan(table, window: start, prefix: canNarrow ? wanted : [])
        var count = 0
        while limit == 0 || count < limit, let row = try scan.next() {
            guard canNarrow || wanted.withUnsafeBytes({ row.key.prefix(wanted.count) == ByteView($0) }) else { continue }
            report.row(try rows.cells(row))
            count += 1
        }
        report.finish()
    }
}
