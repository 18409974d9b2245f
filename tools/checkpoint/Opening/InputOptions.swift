import ArgumentParser
import Configuration
import Engine
import KafkaIO

/// Where the logs are that a job reads, and which of them a stage does.
struct InputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The Kafka brokers, instead of the configuration's input.", valueName: "list"))
    var brokers: String?

    @Option(
        name: .customLong("topic"),
        help: ArgumentHelp("The topic that a stage reads, where the checkpoint does not say; may be repeated.", valueName: "stage=topic"))
    var topics: [String] = []

    @Option(help: ArgumentHelp("How long the answer may take.", valueName: "duration"))
    var timeout = "10s"

    func validate() throws {
        guard let limit = Units.milliseconds(timeout), limit > 0 else {
            throw ValidationError("--timeout: expected a duration such as 10s, found \(timeout)")
        }
        guard brokers != "" else { throw ValidationError("--brokers: expected host:port,…") }
        for text in topics where InputOptions.parts(text) == nil { throw ValidationError("--topic: expected stage=topic, found \(text)") }
    }

    var limit: Duration { .milliseconds(Units.milliseconds(timeout) ?? 0) }

    /// What the user said of stages.
    var topicsByStage: [StageName: String] {
        Dictionary(topics.compactMap(InputOptions.parts)) { $1 }
    }

    /// The input that `brokers` or the configuration names; nil when neither does.
    func logs(_ configuration: JobConfiguration?) throws -> InputLogs? {
        if let brokers { return .kafka(brokers: brokers, try KafkaLogs(properties: ["bootstrap.servers": brokers])) }
        switch configuration?.input.source {
        case nil: return nil
        case .directory(let path): return .directory(path, try DirectorySource(path: path))
        case .kafka(let section):
            let properties = section.properties.mapValues(\.revealed)
            return .kafka(brokers: properties["bootstrap.servers"] ?? "", try KafkaLogs(properties: properties))
        }
    }

    private static func parts(_ text: String) -> (StageName, String)? {
        guard let equals = text.firstIndex(ofSign: "="), equals > text.startIndex, text.utf8.index(after: equals) < text.endIndex else {
            return nil
        }
        return (StageName(String(text[..<equals])), String(text[text.utf8.index(after: equals)...]))
    }
}

/// The logs that a job reads.
enum InputLogs {
    case kafka(brokers: String, KafkaLogs)
    case directory(String, DirectorySource)

    var name: String {
        switch self {
        case .kafka(let brokers, _): brokers
        case .directory(let path, _): path
        }
    }

    /// Every partition that these topics have, with where its log begins and ends.
    func bounds(of topics: [String], within limit: Duration) throws -> [TopicPartition: LogBounds] {
        switch self {
        case .kafka(_, let logs): try logs.bounds(of: topics, within: limit)
        case .directory(_, let source): try source.bounds(of: topics, within: limit)
        }
    }
}
