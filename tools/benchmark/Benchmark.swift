import ArgumentParser

/// Measures the parts of the record path alone; `tools/measure` runs them beside the whole path.
@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark", abstract: "Measures what the parts of the record path cost, each alone, in CPU time.",
        subcommands: [JobCommand.self, ConsumeCommand.self, ReferencesCommand.self, CheckpointsCommand.self]
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
        commandName: "references", abstract: "A start of the fintech job up to its first record: reading its reference tables, or loading them from their copy."
    )

    @Argument(help: "A directory such as 'tidemark generate --out' writes.")
    var input: String

    @Option(help: "The state directory: an empty one for a first start, the same again for a restart.")
    var state: String

    func run() throws { try ReferencesMeasurement(input: input, state: state).run() }
}
