import ArgumentParser
import Engine
import SQLiteState

/// `checkpoint explain`
struct ExplainCommand: CheckpointVerb {
    static let configuration = verb(
        "explain", abstract: "Says which tasks, epochs and offsets made a batch of rows in ClickHouse, or one row of it.",
        discussion: """
            --lineage, --batch and --row are a row's _lineage, _batch and _row. What is delivered is remembered for \
            sink.ledgerKeep (7 days). The windows that the task closed in that epoch are known for as long as the epoch's \
            changes are kept.
            """
    )

    @OptionGroup var words: CheckpointWords<ExplainCommand>

    @Option(help: "The row's _lineage; without it, the checkpoint's own.")
    var lineage: UInt32?

    @Option(help: ArgumentHelp("The batch.", valueName: "table:number"))
    var batch: String

    @Option(help: "The row's _row: its place in the batch, from 0.")
    var row: Int?

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if name == nil { throw ValidationError("--batch: expected table:number such as customer_transaction_metrics:17, found \(batch)") }
        if let row, row < 0 { throw ValidationError("--row: expected a number from 0, found \(row)") }
    }

    private var name: (table: String, number: UInt64)? {
        guard let colon = batch.lastIndex(ofSign: ":"), colon > batch.startIndex,
            let number = UInt64(batch[batch.utf8.index(after: colon)...])
        else { return nil }
        return (String(batch[..<colon]), number)
    }

    func run() throws {
        guard let name else { throw CleanExit.helpRequest(self) }
        let checkpoint = try source.open(reference)
        let reader = checkpoint.reader
        let found = try reader.batch(name.table, lineage.map { Lineage($0) } ?? reader.facts.lineage, BatchNumber(name.number))
        if let row, row >= found.rows {
            throw ToolError(.missing, "batch \(batch) has \(found.rows) rows, numbered from 0; there is no row \(row)")
        }
        let report = Report("explain", output)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("table", .text(found.table))
        report.fact("lineage", .count(found.lineage.number))
        report.fact("batch", .count(found.number.number))
        report.fact("rows", .count(found.rows))
        report.fact("tablePartition", .count(found.partition))
        report.fact("frozenInEpoch", .count(found.frozenEpoch.number))
        report.fact("deliveredInEpoch", .optional(found.deliveredEpoch?.number))
        report.fact("deliveredAt", .time(milliseconds: found.deliveredAt))
        try origins(of: found, reader, report)
        report.finish()
    }

    private func origins(of found: StoredBatch, _ reader: StateReader, _ report: Report) throws {
        let columns = [
            "firstRow", "lastRow", "stage", "partition", "epoch", "chunk", "committedAt", "fromOffset", "toOffset", "windowsClosed",
        ]
        report.section("origins", columns.map { ReportColumn($0) })
        var first = 0
        for origin in found.origins {
            defer { first += origin.rows }
            if let row, !(first..<first + origin.rows).contains(row) { continue }
            let reading = try reader.reading(of: origin.task, in: origin.epoch)
            let closed = try reader.windowsClosed(by: origin.task, in: origin.epoch)
            let windows = closed.map {
                "[" + $0.map { quotedJSON("\($0.table.schema.table) \($0.start.text)") }.joined(separator: ",") + "]"
            }
            report.row([
                .count(first), .count(first + origin.rows - 1), .text(origin.task.stage.text), .count(origin.task.partition),
                .count(origin.epoch.number), .count(origin.chunk), .time(milliseconds: reading?.committedAt), .optional(reading?.from),
                // The offset after the last one read is stored; people look for the last one.
                .optional(reading.map { $0.to - 1 }), windows.map { .json($0) } ?? .none,
            ])
        }
    }
}
