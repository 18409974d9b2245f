import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine
import SQLiteState

/// `checkpoint history`
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows how the record of a key changed from checkpoint to checkpoint, oldest first.",
        discussion: "Each checkpoint is fetched for it. A record that is as in the checkpoint before is left out."
    )

    @Argument(help: "The state table.")
    var table: String

    @Argument(help: "The key, as text, or as hex after 0x.")
    var key: String

    @Option(help: "Look at this many of the newest checkpoints; 0 for all.")
    var limit = 10

    @OptionGroup var window: WindowOption
    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    private struct Place: Hashable, Comparable {
        let partition: Int
        let storedKey: [UInt8]

        static func < (left: Place, right: Place) -> Bool {
            left.partition == right.partition ? left.storedKey.lexicographicallyPrecedes(right.storedKey) : left.partition < right.partition
        }
    }

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit: expected a number from 0, found \(limit)") }
    }

    func run() throws {
        let bytes = try keyBytes(key, "key")
        let store = try source.store()
        try store.requireCheckpoints()
        let numbers = try store.liveNumbers()
        let report = Report("history", output)
        report.fact("store", .text(store.location))
        report.fact("table", .text(table))
        report.fact("key", .text(key))
        report.section("changes", ["checkpoint", "createdAt", "epoch", "change", "partition", "window", "record"].map { ReportColumn($0) })
        var known: [Place: FoundRecord] = [:]
        let chosen = (limit == 0 ? numbers[...] : numbers.prefix(limit)).reversed()
        var progress = ProgressBar("checkpoints", total: chosen.count)
        for (done, number) in chosen.enumerated() {
            if case .manifest(let manifest)? = try store.manifest(number) { try compare(manifest, store, bytes, &known, report) }
            progress.show(done + 1)
        }
        progress.finish(chosen.count)
        report.finish()
    }

    private func compare(
        _ manifest: Manifest, _ store: CheckpointStore, _ key: [UInt8], _ known: inout [Place: FoundRecord], _ report: Report
    ) throws {
        let checkpoint = try CheckpointSource.open(manifest, of: store)
        defer { Scratch.removeAll() }
        var found: [Place: FoundRecord] = [:]
        // A table that a later version of the job brought is not there yet.
        if checkpoint.reader.tables.contains(where: { $0.schema.table == table || $0.fullName == table }) {
            let stored = try checkpoint.reader.table(named: table)
            for record in try checkpoint.reader.lookup(key, in: stored, window: try window.start(in: stored)) {
                found[Place(partition: record.partition, storedKey: record.storedKey)] = record
            }
        }
        let lead: [Cell] = [.count(manifest.number.number), .time(milliseconds: manifest.createdAt), .count(manifest.epoch.number)]
        for place in Set(known.keys).union(found.keys).sorted() where known[place]?.record != found[place]?.record {
            guard let record = found[place] else {
                report.row(lead + [.text("removed"), .count(place.partition), .time(known[place]?.window), .none])
                continue
            }
            try record.withRow { row in
                let fields = zip(row.table.schema.fields, try row.values()).map { "\(quotedJSON($0.name)):\($1.json)" }
                let change = known[place] == nil ? "added" : "changed"
                report.row(
                    lead + [.text(change), .count(row.partition), .time(row.window), .json("{" + fields.joined(separator: ",") + "}")])
            }
        }
        known = found
    }
}
