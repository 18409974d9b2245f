import Engine
import KafkaIO
import Logging
import Traffic

/// Writes to Kafka topics, each record to the partition that Kafka's own partitioner chooses for its key.
struct KafkaDestination: TrafficDestination {
    private let writer: TopicWriter
    private var topics: [TrafficTopic: (name: String, partitions: Int)] = [:]

    /// How long the last records may take to arrive.
    private static let flushTimeout = Duration.seconds(60)

    /// `partitions`: of the streams; nil takes what the topics have, or the brokers' default for those to be created.
    init(brokers: String, prefix: String, partitions: Int?, logger: Logger) throws {
        writer = try TopicWriter(WriterSettings(properties: ["bootstrap.servers": brokers]), logger: logger)
        for topic in TrafficTopic.allCases {
            let name = prefix + topic.rawValue
            topics[topic] = (name, try writer.ensureTopic(name, partitions: topic.isStream ? partitions : nil))
        }
    }

    func write(_ topic: TrafficTopic, key: ByteView, value: ByteView) throws {
        guard let (name, partitions) = topics[topic] else { return }
        try writer.send(topic: name, partition: murmur2Partition(of: key, partitions: partitions), key: key, value: value)
    }

    func finish() throws { try writer.flush(timeout: KafkaDestination.flushTimeout) }
}
