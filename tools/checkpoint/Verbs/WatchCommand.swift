import ArgumentParser
import CheckpointStores
import CommandLineParts
import Configuration
import Engine
import Foundation

/// `checkpoint watch`
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Writes a row for each new checkpoint, until it is interrupted.",
        discussion: "With --count, ends after so many."
    )

    @Option(help: ArgumentHelp("Begin with this one, instead of the next to come.", valueName: "number"))
    var from: UInt64?

    @Option(help: "End after so many; 0 for never.")
    var count = 0

    @Option(help: ArgumentHelp("How often to look.", valueName: "duration"))
    var interval = "2s"

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard count >= 0 else { throw ValidationError("--count: expected a number from 0, found \(count)") }
        guard let milliseconds = Units.milliseconds(interval), (10...3_600_000).contains(milliseconds) else {
            throw ValidationError("--interval: expected 10ms to 1h, found \(interval)")
        }
        if from == 0 { throw ValidationError("--from: checkpoints are numbered from 1") }
    }

    func run() throws {
        let store = try store.open()
        try tellIfEmpty(store)
        let report = Report("watch", output)
        report.fact("store", .text(store.location))
        report.section(
            "checkpoints", ["number", "createdAt", "reason", "lineage", "epoch", "objects", "bytes", "newBytes"].map { ReportColumn($0) })
        var next = try from.map { ManifestNumber($0) } ?? (store.newestNumber()?.next ?? .first)
        var seen = 0
        while count == 0 || seen < count {
            guard let found = try store.manifest(next) else {
                report.flush()
                usleep(UInt32((Units.milliseconds(interval) ?? 2000) * 1000))
                continue
            }
            next = next.next
            guard case .manifest(let manifest) = found else { continue }
            report.row([
                .count(manifest.number.number), .time(milliseconds: manifest.createdAt), .text(manifest.reason.rawValue),
                .count(manifest.lineage.number), .count(manifest.epoch.number), .count(manifest.objects.count), .bytes(manifest.bytes),
                .bytes(manifest.objects.last?.digest.bytes ?? 0),
            ])
            seen += 1
        }
        report.finish()
    }

    /// A place without checkpoints may be one where the first is still to come, or a mistyped one.
    private func tellIfEmpty(_ store: CheckpointStore) throws {
        do throws(CheckpointError) {
            try store.requireCheckpoints()
        } catch {
            guard error.kind == .missing else { throw error }
            Console.writeLog("Note: \(Console.redact(error.message)); waiting for the first")
        }
    }
}
