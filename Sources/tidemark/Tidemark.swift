import ArgumentParser
import CommandLineParts
import Engine
import Foundation

/// The front door: one command, its sub-commands below.
@main
struct Tidemark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidemark",
        abstract: "A durable stream processor: Kafka in, keyed window state in SQLite, ClickHouse out, exactly once.",
        discussion: """
            Exit codes: 0 done, 1 error, 2 differs (findings of check, run --wait or tables), 3 partial (undelivered rows stay in the \
            outbox), 4 corrupt, 5 incompatible version, 10 not found, 11 locked by another process, 12 denied, \
            64 usage, 130 stopped by the second signal.
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, CheckCommand.self, TablesCommand.self, ResolveCommand.self, SkipCommand.self, FinalizeCommand.self,
            SchemasCommand.self, GenerateCommand.self, LoadCommand.self, DevCommand.self,
        ]
    )

    /// Runs the command; an error of ours ends the process with the code that scripts rely on.
    static func main() {
        StopSignals.begin()
        // A reader of our output that goes away is an error of a write, not the end of a worker.
        signal(SIGPIPE, SIG_IGN)
        HeapLimits.set()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as any Failure {
            Console.writeError(failure)
            Foundation.exit(ExitStatus(failure).rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
