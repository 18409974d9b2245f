import CRdKafka
import Engine

/// Partitions that are being fetched into one queue; stopped and freed with the last reference.
///
/// The legacy consumer's `rd_kafka_consume_start_queue` is used because it is free of races in librdkafka 2.0.2: it
/// forwards the partition to the queue, under the queue's lock, before it asks for the first record. With
/// `rd_kafka_assign` the forwarding (`rd_kafka_queue_get_partition`, `rd_kafka_queue_forward`) is a second step that
/// either comes before the partition is known or races with librdkafka's own forwarding to the group's queue, where
/// records would then lie that nobody reads. It joins no group, either.
final class Consumption {
    let client: KafkaClient
    let queue: OpaquePointer
    private var topics: [String: OpaquePointer] = [:]
    private var started: [TopicPartition] = []

    init(client: KafkaClient) throws {
        guard let queue = rd_kafka_queue_new(client.handle) else {
            throw SourceError(.bug, "librdkafka gave no queue: \(text(of: rd_kafka_last_error()))")
        }
        self.client = client
        self.queue = queue
    }

    deinit {
        for partition in started { rd_kafka_consume_stop(topics[partition.topic], Int32(partition.partition)) }
        rd_kafka_queue_destroy(queue)
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
    }

    /// Begins to fetch; returns the topic's handle, by which messages name their topic.
    func start(_ partition: TopicPartition, at offset: Int64) throws -> OpaquePointer {
        let topic = try topics[partition.topic] ?? client.makeTopic(partition.topic)
        topics[partition.topic] = topic
        guard rd_kafka_consume_start_queue(topic, Int32(partition.partition), offset, queue) == 0 else {
            throw SourceError(.bug, "\(partition) can't be read at offset \(offset): \(text(of: rd_kafka_last_error()))")
        }
        started.append(partition)
        return topic
    }
}
