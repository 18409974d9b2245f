import ArgumentParser
import CheckpointStores
import Foundation
import SQLiteState

/// `checkpoint restore`
struct RestoreCommand: CheckpointVerb {
    static let configuration = verb(
        "restore", abstract: "Makes a state directory of a checkpoint.",
        discussion: """
            The state goes on in the lineage that it had: a job may start on it when the sink has nothing beyond it, as after a \
            drain on another machine. To go back to an earlier state, use rewind.
            """
    )

    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<RestoreCommand>

    @Option(name: .customLong("to"), help: ArgumentHelp("A directory that is empty or not there yet.", valueName: "directory"))
    var target: String

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let directory = try NewDirectory(target)
        let (name, facts) = try source.assemble(reference, in: directory.temporaryPath)
        try directory.publish()
        let report = Report("restore", output)
        report.fact("checkpoint", UInt64(name).map { .count($0) } ?? .text(name))
        report.fact("epoch", .count(facts.epoch.number))
        report.fact("lineage", .count(facts.lineage.number))
        report.fact("directory", .text(directory.path))
        report.finish()
    }
}
