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

/// What a state table holds, counted.
struct TableStatistics {
    struct Large {
        let partition: Int
        let window: EventTime?
        let key: String
        let bytes: Int
    }

    let name: String
    private(set) var keys = 0
    private(set) var bytes = 0
    private(set) var recordBytes = 0
    private(set) var keysByPartition: [Int: Int]
    /// Greatest first.
    private(set) var largest: [Large] = []

    init(_ reader: StateReader, _ table: StoredTable, largest limit: Int) throws {
        name = table.fullName
        keysByPartition = Dictionary(uniqueKeysWithValues: reader.tasks.filter { $0.id.stage == table.stage }.map { ($0.id.partition, 0) })
        let scan = try reader.scan(table)
        while let row = try scan.next() {
            keys += 1
            bytes += row.storedKey.count + row.record.count
            recordBytes += row.record.count
            keysByPartition[row.partition, default: 0] += 1
            keep(row, limit)
        }
    }

    /// Of equal ones the first in key order stays.
    private mutating func keep(_ row: StateRow, _ limit: Int) {
        guard limit > 0, largest.count < limit || row.record.count > largest[largest.count - 1].bytes else { return }
        let place = largest.firstIndex { $0.bytes < row.record.count } ?? largest.count
        largest.insert(Large(partition: row.partition, window: row.window, key: StateText.key(row.key), bytes: row.record.count), at: place)
        if largest.count > limit { largest.removeLast() }
    }

    /// The partition with the most keys, the first of equal ones.
    var fullest: Int? { keys == 0 ? nil : keysByPartition.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }

    /// To two digits.
    var skew: Double {
        guard keys > 0, let most = keysByPartition.values.max() else { return 1 }
        return (Double(most * keysByPartition.count) / Double(keys) * 100).rounded() / 100
    }
}
