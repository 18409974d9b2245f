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
            REF, first among a verb's arguments or after --at, names a checkpoint: latest, latest~2, a number, @2026-09-01T10:00Z (the last one not after it) or tag:NAME in \
            the store that --store and --job or --config name; or the path of a state directory or state file that no \
            worker has.

            Verbs read only, unless they say otherwise; those that take something away, or the job from its worker (rewind, prune, gc, \
            untag), print a plan first, take --dry-run, and need --yes off a terminal. Nothing is overwritten.

            Exit codes: 0 done, 1 error, 2 differs, 3 partial, 4 corrupt, 5 incompatible version, 10 not found, 11 locked by \
            another process, 12 denied, 64 usage, 130 interrupted.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "One checkpoint",
                subcommands: [
                    ShowCommand.self, StatsCommand.self, GetCommand.self, ScanCommand.self, WindowsCommand.self, TimersCommand.self,
                    OffsetsCommand.self, ExportCommand.self, SQLCommand.self, ExplainCommand.self, DiffCommand.self,
                ]),
            CommandGroup(
                name: "A store of checkpoints",
                subcommands: [
                    ListCommand.self, VerifyCommand.self, HistoryCommand.self, WatchCommand.self, RestoreCommand.self,
                    RepartitionCommand.self, RewindCommand.self,
                    CopyCommand.self, TagCommand.self, UntagCommand.self, PruneCommand.self, GarbageCommand.self, CompatCommand.self,
                    ReconcileCommand.self, RecoverCommand.self,
                ]),
        ]
    )

    /// Runs the command; an error of ours ends the process with the code that scripts rely on.
    static func main() {
        // A reader of our output that goes away is an error of a write.
        signal(SIGPIPE, SIG_IGN)
        let ending = withExtendedLifetime(Scratch.removeWhenInterrupted()) { Checkpoint.ending { try parseAsRoot() } }
        switch ending {
        case .quiet: break
        case .failure(let failure): Console.writeError(failure)
        case .unrun(let error): exit(withError: error)
        }
        Foundation.exit(ending.status)
    }

    /// Runs the command that `parse` finds. Temporary directories are gone at its end.
    static func ending(_ parse: () throws -> any ParsableCommand) -> Ending {
        defer { Scratch.removeAll() }
        do {
            var command = try parse()
            try command.run()
            return .quiet(.success)
        } catch let failure as any Failure {
            return .failure(failure)
        } catch let code as ExitCode {
            return .quiet(code)
        } catch {
            return .unrun(error)
        }
    }

    /// How a command ended, and what is left to say.
    enum Ending {
        /// Everything was said.
        case quiet(ExitCode)
        case failure(any Failure)
        /// Help that was asked for, what is wrong with the arguments, or an error that is none of ours.
        case unrun(any Error)

        /// The exit code.
        var status: Int32 {
            switch self {
            case .quiet(let code): code.rawValue
            case .failure(let failure): ExitStatus(failure).rawValue
            case .unrun(let error): Checkpoint.exitCode(for: error).rawValue
            }
        }
    }
}
