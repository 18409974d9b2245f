import ArgumentParser
import CheckpointStores
import Engine

/// `checkpoint ls`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists the checkpoints of a store, newest first.", discussion: "Collected ones are left out; damaged ones are listed as such."
    )

    @Option(help: "At most this many; 0 for all.")
    var limit = 20

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit: expected a number from 0, found \(limit)") }
    }

    func run() throws {
        let store = try store.open()
        let tags = Dictionary(grouping: try store.tags(), by: \.number).mapValues { $0.map(\.name).sorted() }
        let report = Report("ls", output)
        report.fact("store", .text(store.location))
        report.section("checkpoints", ["number", "createdAt", "reason", "lineage", "epoch", "jobVersion", "objects", "bytes", "tags", "damage"].map { ReportColumn($0) })
        let numbers = try store.liveNumbers()
        for number in limit == 0 ? numbers[...] : numbers.prefix(limit) {
            let tagged = Cell.json("[" + (tags[number] ?? []).map(quotedJSON).joined(separator: ",") + "]")
            if let cells = try ListCommand.cells(of: number, store, tagged) { report.row(cells) }
        }
        report.finish()
    }

    /// nil for one that was collected meanwhile.
    private static func cells(of number: ManifestNumber, _ store: CheckpointStore, _ tagged: Cell) throws -> [Cell]? {
        do throws(CheckpointError) {
            guard case .manifest(let manifest)? = try store.manifest(number) else { return nil }
            return [
                .count(number.number), .time(milliseconds: manifest.createdAt), .text(manifest.reason.rawValue), .count(manifest.lineage.number),
                .count(manifest.epoch.number), .count(manifest.jobVersion), .count(manifest.objects.count), .bytes(manifest.bytes), tagged, .none,
            ]
        } catch {
            guard [.corrupt, .incompatible, .invalid].contains(error.kind) else { throw error }
            return [.count(number.number), .none, .none, .none, .none, .none, .none, .none, tagged, .text(error.message)]
        }
    }
}
