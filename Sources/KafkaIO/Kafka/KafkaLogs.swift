import Engine
import Logging

/// Asks a Kafka cluster where its logs begin and end, for tools that read no records: nothing is joined, read, committed
/// or created.
package final class KafkaLogs: Sendable {
    private let client: KafkaClient

    /// `properties`: librdkafka's, as a job's input has them. Throws naming each one that is refused.
    package init(properties: [String: String]) throws {
        let settings = KafkaSettings(properties: properties, defaultGroup: "checkpoint-tool")
        // What librdkafka says stands in the errors.
        let silent = Logger(label: "kafka") { _ in SwiftLogNoOpLogHandler() }
        client = try KafkaClient(.consumer, properties: settings.consumerProperties(), logger: silent)
    }

    /// Every partition that these topics have; a topic that does not exist, or may not be seen by this user, has none.
    /// Throws when no broker answers within `limit`; a leader that doesn't leaves its own partitions unanswered.
    package func bounds(of topics: [String], within limit: Duration) throws -> [TopicPartition: LogBounds] {
        let deadline = Deadline(limit)
        let found = try ClusterTopics.ask(client, within: deadline)
        let partitions = Set(topics).flatMap { topic in
            found.leaders[topic, default: [:]].keys.map { TopicPartition(topic: topic, partition: $0) }
        }
        let known = LogEnds(client: client).bounds(of: partitions, leaders: found, within: deadline)
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, known[$0] ?? .unanswered) })
    }
}

/// What a source's partition holds, as tools ask for it that read no records.
package enum LogBounds: Hashable, Sendable {
    /// The offset of its first record, and the one after its last; the same where it holds none.
    case known(start: Int64, end: Int64)
    /// Nobody could say in time.
    case unanswered
}
