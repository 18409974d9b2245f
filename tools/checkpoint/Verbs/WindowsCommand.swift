import ArgumentParser
import Engine
import SQLiteState

/// `checkpoint windows`
struct WindowsCommand: CheckpointVerb {
    static let configuration = verb(
        "windows", abstract: "Lists the open windows of each windowed table, with their keys and bytes.",
        discussion: "Reads the windowed tables."
    )

    @OptionGroup var words: CheckpointWords<WindowsCommand>

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    private struct Open {
        var keys = 0
        var bytes = 0
        var partitions: Set<Int> = []
    }

    func run() throws {
        let checkpoint = try source.open(reference)
        let report = Report("windows", output)
        report.fact("checkpoint", .text(checkpoint.name))
        report.section("windows", ["table", "start", "end", "keys", "bytes", "partitions"].map { ReportColumn($0) })
        for table in checkpoint.reader.tables where table.isWindowed {
            for (start, open) in try windows(of: table, checkpoint.reader) {
                report.row([
                    .text(table.fullName), .time(start), .time(table.schema.span.map { start + $0 }), .count(open.keys), .bytes(open.bytes),
                    .count(open.partitions.count),
                ])
            }
        }
        report.finish()
    }

    private func windows(of table: StoredTable, _ reader: StateReader) throws -> [(EventTime, Open)] {
        var windows: [(EventTime, Open)] = []
        let scan = try reader.scan(table)
        while let row = try scan.next() {
            guard let start = row.window else { throw ToolError(.corrupt, "a key of table \(table.fullName) has no window; it is damaged") }
            if windows.last?.0 != start { windows.append((start, Open())) }
            windows[windows.count - 1].1.keys += 1
            windows[windows.count - 1].1.bytes += row.storedKey.count + row.record.count
            windows[windows.count - 1].1.partitions.insert(row.partition)
        }
        return windows
    }
}
