import ArgumentParser
import Foundation

/// Measures the parts of the record path alone, which `tools/measure` runs beside the whole path, and checkpoints.
@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark", abstract: "Measures what the parts of the record path cost, each alone, in CPU time.",
        subcommands: [
            JobCommand.self, MigrateCommand.self, ConsumeCommand.self, ReferencesCommand.self, CheckpointCommand.self, PauseCommand.self,
            ManyKeysCommand.self,
        ]
    )
}

/// `benchmark job`
struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Parsing, state, commits and encoding, from records already in memory, on one thread."
    )

    @Argument(help: "A file of transactions, a record's value a line, such as 'tidemark generate' writes.")
    var file: String

    @Option(help: "How many records to go through in all; the file is gone through again and again.")
    var records = 400_000

    func run() throws {
        let log = try RecordLog(file: file)
        print("\(log.records.count) records of \(log.byteCount / log.records.count) bytes")
        let chunks = try JobMeasurement(log: log, passes: max(records / log.records.count, 1)).run()
        try EncodeMeasurement(of: chunks, records: log.records.count).run()
    }
}

/// `benchmark consume`
struct ConsumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume", abstract: "Reading a topic to its end and doing nothing with it, all of librdkafka's threads counted."
    )

    @Option(help: ArgumentHelp("The Kafka cluster.", valueName: "host:port,…"))
    var brokers: String

    @Option(help: "The topic.")
    var topic = "fintech.public.transactions"

    @Option(help: "How many threads read.")
    var readers = 2

    func run() throws { try ConsumeMeasurement(brokers: brokers, topic: topic, readers: readers).run() }
}

/// `benchmark references`
struct ReferencesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "references",
        abstract: "A start of the fintech job up to its first record: reading its reference tables, or loading them from their copy."
    )

    @Argument(help: "A directory such as 'tidemark generate --out' writes.")
    var input: String

    @Option(help: "The state directory: an empty one for a first start, the same again for a restart.")
    var state: String

    func run() throws { try ReferencesMeasurement(input: input, state: state).run() }
}

/// `benchmark checkpoint`
struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "A base and a delta of a large state, and how long they hold up the epochs that go on meanwhile."
    )

    @Option(help: "The size of the state, in MiB.")
    var state = 1024

    @Option(help: "The time from epoch to epoch, in milliseconds; each changes 10,000 records of 300 bytes.")
    var interval = 500

    @Option(help: "The time that a step may take, in milliseconds.")
    var step = 25

    @Option(help: "Where to make a directory for the measurement, on the disk in question.")
    var directory = FileManager.default.temporaryDirectory.path

    func run() throws {
        let own = "\(directory)/tidemark-benchmark-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: own) }
        try CheckpointMeasurement(
            directory: own, stateBytes: state << 20, interval: .milliseconds(interval), step: .milliseconds(step)
        ).run()
    }
}

/// `benchmark pause`
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "A whole worker with a large state: how late records are read without checkpoints, during a base and during deltas."
    )

    @Option(help: "The size of the state's records, in MiB.")
    var state = 1024

    @Option(help: "Records a second, of random keys.")
    var rate = 10_000

    @Option(help: "The memory for records, in MiB.")
    var memory = 512

    @Option(help: "How long each part takes at least, in seconds.")
    var seconds = 40

    @Option(help: "Where to make a directory for the measurement, on the disk in question.")
    var directory = FileManager.default.temporaryDirectory.path

    func run() throws {
        let own = "\(directory)/tidemark-benchmark-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: own) }
        try PauseMeasurement(directory: own, stateBytes: state << 20, rate: rate, memoryBudget: memory << 20, seconds: seconds).run()
    }
}
