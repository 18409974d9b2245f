import ArgumentParser
import CheckpointStores
import CommandLineParts
import Configuration
import Foundation

/// Which store, and which job's checkpoints in it.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where checkpoints are: a directory or s3://bucket/prefix.", valueName: "location"))
    var store: String?

    @Option(help: ArgumentHelp("The job whose checkpoints are meant.", valueName: "id"))
    var job: String?

    @Option(help: ArgumentHelp("A configuration that names both.", valueName: "file"))
    var config: String?

    func validate() throws {
        if config != nil && (store != nil || job != nil) { throw ValidationError("expected --config, or --store and --job, not both") }
        if (store == nil) != (job == nil) { throw ValidationError("--store and --job go together") }
    }

    func open() throws -> CheckpointStore {
        let environment = ProcessInfo.processInfo.environment
        if let store, let job {
            return try CheckpointStore.open(location: store, job: job, environment: environment, findings: StoreOptions.tell)
        }
        guard let configuration = try configuration() else {
            throw ToolError(
                .invalid, "no store is named; add --store LOCATION --job ID, or --config FILE, or name a checkpoint by the path of its file"
            )
        }
        guard let location = configuration.checkpoints.store.location else {
            throw ToolError(.invalid, "the configuration has checkpoints.store: off; name another one, or --store LOCATION --job ID")
        }
        return try CheckpointStore.open(location: location, job: configuration.jobID, environment: environment, findings: StoreOptions.tell)
    }

    /// What is odd in a store and hides nothing.
    @Sendable private static func tell(_ finding: String) { Console.writeLog("Note: " + Console.redact(finding)) }

    /// What `--config` names; nil without it.
    func configuration() throws -> JobConfiguration? {
        guard let config else { return nil }
        // Kafka's properties are judged by the one verb that uses them.
        let loaded = try JobConfiguration.load(
            path: config, environment: ProcessInfo.processInfo.environment, flags: [], kafkaProblem: { _, _ in nil })
        Console.hide(with: loaded.redactor)
        return loaded
    }
}
