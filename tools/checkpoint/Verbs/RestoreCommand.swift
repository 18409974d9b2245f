import ArgumentParser
import CheckpointStores
import Foundation
import SQLiteState

/// `checkpoint restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes a state directory of a checkpoint.",
        discussion: """
            The state goes on in the lineage that it had: a job may start on it when the sink has nothing beyond it, as after a \
            drain on another machine. To go back to an earlier state, use rewind.
            """
    )

    @Argument(help: ArgumentHelp("The checkpoint.", valueName: "ref"))
    var reference: String

    @Option(name: .customLong("to"), help: ArgumentHelp("A directory that is empty or not there yet.", valueName: "directory"))
    var target: String

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let store = try source.store()
        let manifest = try store.resolve(try CheckpointReference(reference))
        let directory = try NewDirectory(target)
        try CheckpointSource.assemble(manifest, of: store, in: directory.temporaryPath)
        try directory.publish()
        let report = Report("restore", output)
        report.fact("checkpoint", .count(manifest.number.number))
        report.fact("epoch", .count(manifest.epoch.number))
        report.fact("lineage", .count(manifest.lineage.number))
        report.fact("directory", .text(directory.path))
        report.finish()
    }
}
