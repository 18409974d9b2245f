import ArgumentParser
import Engine
import SQLiteState

/// `checkpoint timers`
struct TimersCommand: CheckpointVerb {
    static let configuration = verb(
        "timers", abstract: "Counts the timers of each table and lists the next ones to fire.", discussion: "Reads the tables with timers."
    )

    @OptionGroup var words: CheckpointWords<TimersCommand>

    @Option(help: "How many of the next timers to show.")
    var limit = 20

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    private struct Timer {
        let time: EventTime
        let table: String
        let partition: Int
        let key: String
    }

    func validate() throws {
        guard (0...100_000).contains(limit) else { throw ValidationError("--limit: expected 0 to 100000, found \(limit)") }
    }

    func run() throws {
        let checkpoint = try source.open(reference)
        var next: [Timer] = []
        let report = Report("timers", output, hasSections: true)
        report.fact("checkpoint", .text(checkpoint.name))
        report.section("tables", ["table", "timers", "first", "last"].map { ReportColumn($0) })
        for table in checkpoint.reader.tables where table.schema.hasTimer {
            var (count, first, last) = (0, EventTime?.none, EventTime?.none)
            let scan = try checkpoint.reader.scan(table)
            while let row = try scan.next() {
                guard let time = row.timer else { continue }
                count += 1
                first = min(first ?? time, time)
                last = max(last ?? time, time)
                keep(time, row, table, &next)
            }
            report.row([.text(table.fullName), .count(count), .time(first), .time(last)])
        }
        report.section("timers", ["time", "table", "partition", "key"].map { ReportColumn($0) })
        for timer in next { report.row([.time(timer.time), .text(timer.table), .count(timer.partition), .text(timer.key)]) }
        report.finish()
    }

    /// Keeps `next` in order of time; of equal times what came first stays first.
    private func keep(_ time: EventTime, _ row: StateRow, _ table: StoredTable, _ next: inout [Timer]) {
        guard limit > 0, next.count < limit || time < next[next.count - 1].time else { return }
        var (low, high) = (0, next.count)
        while low < high {
            let middle = (low + high) / 2
            if next[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        next.insert(Timer(time: time, table: table.fullName, partition: row.partition, key: StateText.key(row.key)), at: low)
        if next.count > limit { next.removeLast() }
    }
}
