import ArgumentParser
import CommandLineParts
import Configuration
import KafkaIO

/// `tidemark load`
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Puts a directory of records into Kafka, a line a record.",
        discussion: """
            Reads <topic>.jsonl or <topic>/<partition>.jsonl. Streams are keyed by customer_id and reference tables by id, \
            placed as Kafka's own partitioner would; topics that are missing are created. Writes what was loaded to \
            standard output, a line a topic.
            """
    )

    @Argument(help: ArgumentHelp("The directory.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("The Kafka cluster.", valueName: "host:port,…"))
    var brokers: String

    @Option(
        help: ArgumentHelp(
            "Partitions of each topic; as the topics have, or the brokers' default for those to be created, if it is left out.",
            valueName: "p"))
    var partitions: Int?

    @Option(
        help: ArgumentHelp(
            "What to put before the topics' names as the directory has them, as in copy.fintech.public.transactions; nothing unless said.",
            valueName: "text"))
    var prefix = ""

    func validate() throws {
        if let partitions, partitions < 1 { throw ValidationError("--partitions: expected a number greater than 0, found \(partitions)") }
    }

    func run() throws {
        let logger = LogOutput.start(LogSection(), redactor: .none)
        let load = try DirectoryLoad(directory: directory, topicPrefix: prefix, partitions: partitions)
        let writer = try TopicWriter(WriterSettings(properties: ["bootstrap.servers": brokers]), logger: logger)
        try load.run(with: writer) { progress in
            let withoutKey = progress.withoutKey > 0 ? "\t\(progress.withoutKey) without a key" : ""
            Console.writeResult("\(progress.topic)\t\(progress.records)\(withoutKey)")
        }
    }
}
