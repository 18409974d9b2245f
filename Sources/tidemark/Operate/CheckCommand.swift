import ArgumentParser
import CommandLineParts
import Configuration
import Engine
import Foundation
import KafkaIO
import Logging
import SQLiteState

/// `tidemark check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Looks at configuration, state, input and tables without running the job.",
        discussion:
            "Writes a line for each thing looked at, ok, a finding with what to do, or skipped because of a finding. Ends with 2 when there are findings."
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var drops: DropOptions

    @Flag(name: .customLong("before-repartition"), help: "Look as a run with --before-repartition would.")
    var beforeRepartition = false

    @Flag(name: .customLong("take-over"), help: "Look as a run with --take-over would.")
    var takeOver = false

    func run() throws {
        // A checkpoint that stands for the state lies in temporary files meanwhile.
        StopSignals.watch {
            Scratch.removeAll()
            _exit(ExitStatus.stoppedBySecondSignal.rawValue)
        }
        let report = CheckReport(.results)
        if let configuration = report.attempt("configuration", { try options.load() }, ok: { "job \($0.jobID)" }) {
            // The findings say it all; what the parts tell about themselves is for who asks for it.
            var log = configuration.log
            if log.level == .info || log.level == .notice { log.level = .warning }
            let parts = JobParts(
                configuration: configuration, logger: LogOutput.start(log, redactor: configuration.redactor), droppedTables: drops.tables)
            try JobCheck(parts: parts, report: report, takesOver: takeOver, endsBeforeRepartition: beforeRepartition).run()
        }
        let libraries = "librdkafka \(KafkaProperties.libraryVersion), SQLite \(SQLiteStateStore.libraryVersion)"
        report.ok("versions", "tidemark \(Tidemark.configuration.version), \(libraries)")
        if report.findings > 0 { throw ExitCode(ExitStatus.differs.rawValue) }
    }
}
