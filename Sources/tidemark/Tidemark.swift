import ArgumentParser
import Engine
import Foundation

/// The front door: one command, its sub-commands below.
@main
struct Tidemark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidemark",
        abstract: "A durable stream processor: Kafka in, keyed window state in SQLite, ClickHouse out, exactly once.",
        version: "0.1.0",
        subcommands: [RunCommand.self]
    )

    /// Runs the command; an error of ours ends the process with the code that scripts rely on.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as any Failure {
            FileHandle.standardError.write(Data("Error: \(failure)\n".utf8))
            Foundation.exit(ExitStatus(failure).rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
