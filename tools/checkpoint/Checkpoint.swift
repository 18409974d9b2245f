import ArgumentParser
import CommandLineParts
import Engine
import Foundation

/// The checkpoint tool's front door: one command, a verb a file in `Verbs`.
@main
struct Checkpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Looks into Tidemark's checkpoints, without the job's code.",
        discussion: """
            REF names a checkpoint: latest, latest~2, a number, @2026-09-01T10:00Z (the last one not after it) or tag:NAME in \
            the store that --store and --job or --config name; or the path of a state directory or state file that no \
            worker has.

            Verbs read only, unless they say otherwise; those that change something print a plan first, take --dry-run, and \
            need --yes off a terminal. Nothing is overwritten.

            Exit codes: 0 done, 1 error, 2 differs, 3 partial, 4 corrupt, 5 incompatible version, 10 not found, 11 locked by \
            another process, 12 denied, 64 usage, 130 interrupted.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "One checkpoint", subcommands: [
                ShowCommand.self, StatsCommand.self, GetCommand.self, ScanCommand.self, WindowsCommand.self, TimersCommand.self,
                OffsetsCommand.self, ExportCommand.self, SQLCommand.self, ExplainCommand.self, DiffCommand.self,
            ]),
            CommandGroup(name: "A store of checkpoints", subcommands: [
                ListCommand.self, VerifyCommand.self, HistoryCommand.self, WatchCommand.self, RestoreCommand.self, RewindCommand.self,
                CopyCommand.self, TagCommand.self, UntagCommand.self, PruneCommand.self, GarbageCommand.self, CompatCommand.self, ReconcileCommand.self, RecoverCommand.self,
            ]),
        ]
    )

    /// Runs the command; an error of ours ends the process with the code that scripts rely on.
    static func main() {
        // A reader of our output that goes away is an error of a write.
        signal(SIGPIPE, SIG_IGN)
        let status = withExtendedLifetime(Scratch.removeWhenInterrupted(), run)
        Scratch.removeAll()
        Foundation.exit(status)
    }

    private static func run() -> Int32 {
        do {
            var command = try parseAsRoot()
            try command.run()
            return ExitStatus.done.rawValue
        } catch let failure as any Failure {
            Console.writeError(failure)
            return ExitStatus(failure).rawValue
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            Scratch.removeAll()
            exit(withError: error)
        }
    }
}
