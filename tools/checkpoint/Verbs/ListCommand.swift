import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine

/// `checkpoint ls`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists the checkpoints of a store, newest first.",
        discussion: "Collected ones are left out; damaged ones are listed as such, and it ends with 4 then."
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
        try store.requireCheckpoints()
        let tags = Dictionary(grouping: try store.tags(), by: \.number).mapValues { $0.map(\.name).sorted() }
        let report = Report("ls", output)
        report.fact("store", .text(store.location))
        report.section(
            "checkpoints",
            ["number", "createdAt", "reason", "lineage", "epoch", "jobVersion", "objects", "bytes", "tags", "damage"].map {
                ReportColumn($0)
            })
        let checkpoints = try store.liveCheckpoints()
        var damage: CheckpointError?
        for checkpoint in limit == 0 ? checkpoints[...] : checkpoints.prefix(limit) {
            let tagged = Cell.json("[" + (tags[checkpoint.number] ?? []).map(quotedJSON).joined(separator: ",") + "]")
            report.row(ListCommand.cells(of: checkpoint, tagged))
            if case .failure(let error) = checkpoint.manifest { damage = damage ?? error }
        }
        report.finish()
        if let damage { throw ExitCode(ExitStatus(damage: damage).rawValue) }
    }

    private static func cells(of checkpoint: LiveCheckpoint, _ tagged: Cell) -> [Cell] {
        switch checkpoint.manifest {
        case .success(let manifest):
            [
                .count(manifest.number.number), .time(milliseconds: manifest.createdAt), .text(manifest.reason.rawValue),
                .count(manifest.lineage.number),
                .count(manifest.epoch.number), .count(manifest.jobVersion), .count(manifest.objects.count), .bytes(manifest.bytes), tagged,
                .none,
            ]
        case .failure(let error):
            [.count(checkpoint.number.number), .none, .none, .none, .none, .none, .none, .none, tagged, .text(error.message)]
        }
    }
}

extension ExitStatus {
    /// The code for what is damaged in a store: a manifest that somebody removed is damage too.
    init(damage: any Failure) {
        self = damage.kind == .missing ? .corrupt : ExitStatus(damage)
    }
}
