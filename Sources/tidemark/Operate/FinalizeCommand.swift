import ArgumentParser
import CommandLineParts
import Configuration
import Foundation
import SQLiteState

/// `tidemark finalize`
struct FinalizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finalize",
        abstract: "Ends the time in which the job's version before this one can go on from the state.",
        discussion: """
            After an upgrade the state is also written as the version before reads it. This drops what was written for it, \
            and the removed tables that --drop names. The worker has to be stopped. Done once more, it finds nothing to do.
            """
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var drops: DropOptions

    func run() throws {
        let configuration = try options.load()
        let parts = JobParts(
            configuration: configuration, logger: LogOutput.start(configuration.log, redactor: configuration.redactor),
            droppedTables: drops.tables)
        guard FileManager.default.fileExists(atPath: configuration.state.directory + "/state.db") else {
            throw StateError(
                .missing, "there is no state in \(configuration.state.directory), so nothing to finalize; see to state.directory")
        }
        let store = try parts.makeStore()
        let done = try store.finalize(parts.topology(over: store.fixedSettings()))
        for table in done.copies { Console.writeResult("dropped the earlier version's copy of state table \(table)") }
        for table in done.dropped { Console.writeResult("dropped state table \(table)") }
        for table in done.kept {
            Console.writeResult("kept state table \(table), which this version does not have; --drop \(table) drops it")
        }
        Console.writeResult("final: version \(done.jobVersion) of the job and later ones can go on from the state")
    }
}

/// The state tables to drop.
struct DropOptions: ParsableArguments {
    @Option(
        name: .customLong("drop"),
        help: ArgumentHelp(
            "A state table that this version of the job does not have any more, to be dropped with all it holds; then no earlier version can go on. May be repeated.",
            valueName: "table"))
    var tables: [String] = []
}
