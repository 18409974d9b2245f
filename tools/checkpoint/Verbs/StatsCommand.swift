import ArgumentParser
import Engine
import SQLiteState

/// `checkpoint stats`
struct StatsCommand: CheckpointVerb {
    static let configuration = verb(
        "stats",
        abstract: "Counts keys and bytes of each state table, how evenly its partitions share them, and shows the largest records.",
        discussion: "Reads the whole state. skew is the fullest partition's keys over the partitions' mean: 1 is even."
    )

    @OptionGroup var words: CheckpointWords<StatsCommand>

    @Option(help: "How many of the largest records to show of each table.")
    var largest = 3

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (0...1000).contains(largest) else { throw ValidationError("--largest: expected 0 to 1000, found \(largest)") }
    }

    func run() throws {
        let checkpoint = try source.open(reference)
        let reader = checkpoint.reader
        let statistics = try reader.tables.map { try TableStatistics(reader, $0, largest: largest) }
        let report = Report("stats", output, hasSections: true)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("keys", .count(statistics.reduce(0) { $0 + $1.keys }))
        report.fact("bytes", .bytes(statistics.reduce(0) { $0 + $1.bytes }))
        report.section(
            "stateTables",
            ["table", "keys", "bytes", "meanRecord", "largestRecord", "partitions", "fullestPartition", "skew"].map { ReportColumn($0) })
        for table in statistics {
            report.row([
                .text(table.name), .count(table.keys), .bytes(table.bytes), .bytes(table.keys == 0 ? 0 : table.recordBytes / table.keys),
                .bytes(table.largest.first?.bytes ?? 0), .count(table.keysByPartition.count), .optional(table.fullest), .real(table.skew),
            ])
        }
        report.section("largestRecords", ["table", "partition", "window", "key", "bytes"].map { ReportColumn($0) })
        for table in statistics {
            for record in table.largest {
                report.row([.text(table.name), .count(record.partition), .time(record.window), .text(record.key), .bytes(record.bytes)])
            }
        }
        report.finish()
    }
}
