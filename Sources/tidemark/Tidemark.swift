import ArgumentParser

/// The front door: one command, its sub-commands below.
@main
struct Tidemark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidemark",
        abstract: "A durable stream processor: Kafka in, keyed window state in SQLite, ClickHouse out, exactly once.",
        version: "0.1.0"
    )
}
