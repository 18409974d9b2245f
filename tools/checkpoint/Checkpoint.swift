import ArgumentParser

/// The checkpoint tool's front door.
@main
struct Checkpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Looks into Tidemark's checkpoints.",
        version: "0.1.0"
    )

    func run() throws { print(Checkpoint.configuration.version) }
}
