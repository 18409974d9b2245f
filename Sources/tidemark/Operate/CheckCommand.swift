import ArgumentParser
import CommandLineParts
import Configuration
import Engine
import KafkaIO
import Logging
import SQLiteState

/// `tidemark check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Looks at configuration, state, input and tables without running the job.",
        discussion: "Writes a line for each thing looked at, ok, a finding with what to do, or skipped because of a finding. Ends with 2 when there are findings."
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var drops: DropOptions

    func run() throws {
        let report = CheckReport()
        if let configuration = report.attempt("configuration", { try options.load() }, ok: { "job \($0.jobID)" }) {
            // The findings say it all; what the parts tell about themselves is for who asks for it.
            var log = configuration.log
            if log.level == .info || log.level == .notice { log.level = .warning }
            let parts = JobParts(configuration: configuration, logger: LogOutput.start(log, redactor: configuration.redactor), droppedTables: drops.tables)
            JobCheck(parts: parts, report: report).run()
        }
        let libraries = "librdkafka \(KafkaProperties.libraryVersion), SQLite \(SQLiteStateStore.libraryVersion)"
        Console.writeResult("ok       versions: tidemark \(Tidemark.configuration.version), \(libraries)")
        if report.findings > 0 { throw ExitCode(ExitStatus.differs.rawValue) }
    }
}

/// What was looked at, written as it comes.
final class CheckReport {
    private(set) var findings = 0

    /// Writes an ok with its details, or what went wrong as a finding; nil in the latter case.
    func attempt<Value>(_ what: String, _ body: () throws -> Value, ok: (Value) -> String) -> Value? {
        do {
            let value = try body()
            Console.writeResult("ok       \(what): \(ok(value))")
            return value
        } catch {
            finding(what, plainText(of: error))
            return nil
        }
    }

    func finding(_ what: String, _ text: String) {
        findings += 1
        let text = text.hasPrefix("\(what): ") ? String(text.dropFirst(what.count + 2)) : text
        Console.writeResult("finding  \(what): \(Console.redact(text))")
    }

    /// What could not be looked at, because of a finding that is written already.
    func skipped(_ what: String, _ reason: String) {
        Console.writeResult("skipped  \(what): not looked at, because \(reason)")
    }
}
