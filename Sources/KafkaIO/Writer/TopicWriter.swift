import CRdKafka
import Engine
import Logging

/// Writes records to Kafka: every delivery is checked, what failed is thrown by the next `send` or `flush`.
///
/// Records of a partition stay in the order of `send`. For one thread. What was sent but not flushed is lost with the
/// writer.
package final class TopicWriter {
    private let settings: WriterSettings
    private let client: KafkaClient
    private var topics: [String: OpaquePointer] = [:]
    /// Records that the brokers have, by their own word.
    package private(set) var delivered = 0

    package init(_ settings: WriterSettings, logger: Logger) throws {
        self.settings = settings
        client = try KafkaClient(.producer, properties: settings.producerProperties(), logger: logger)
    }

    deinit {
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
    }

    /// Puts a record in the local queue; waits while that is full, at most `queueWaitLimit`.
    /// `timestamp` nil: now. `headers` in their order, a null value as nil. The bytes are copied. Throws when an earlier record could not
    /// be delivered.
    package func send(
        topic: String, partition: Int, key: ByteView, value: ByteView, timestamp: EventTime? = nil,
        headers: [(name: String, value: String?)] = []
    ) throws {
        let handle = try topicHandle(topic)
        var waiting: Deadline?
        while true {
            let list = TopicWriter.headerList(headers)
            let code = tidemark_produce(
                client.handle, handle, Int32(partition), key.start, key.count, value.start, value.count, timestamp?.milliseconds ?? 0, list)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { break }
            if let list { rd_kafka_headers_destroy(list) }
            guard code == RD_KAFKA_RESP_ERR__QUEUE_FULL else { throw refused(code, topic, partition, value.count) }
            let deadline = waiting ?? Deadline(settings.queueWaitLimit)
            waiting = deadline
            if deadline.isOver { throw stuck(deadline.limit) }
            rd_kafka_poll(client.handle, 100)
            try checkDeliveries()
        }
        client.serveCallbacks()
        try checkDeliveries()
    }

    private static func headerList(_ headers: [(name: String, value: String?)]) -> OpaquePointer? {
        guard !headers.isEmpty else { return nil }
        let list = rd_kafka_headers_new(headers.count)
        for header in headers { rd_kafka_header_add(list, header.name, -1, header.value, header.value.map { $0.utf8.count } ?? 0) }
        return list
    }

    /// Waits until everything that was sent is delivered; throws what failed, or when `timeout` is over first.
    package func flush(timeout: Duration) throws {
        let result = rd_kafka_flush(client.handle, timeout.milliseconds)
        client.serveCallbacks()
        try checkDeliveries()
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { throw stuck(timeout) }
    }

    /// How many partitions a topic has, after making sure that it exists.
    ///
    /// A missing topic is created: by request, with `partitions` (nil: the broker's default); where the broker knows no
    /// such request (librdkafka's mock cluster), by asking for it by name. Throws when the topic has not `partitions`.
    package func ensureTopic(_ topic: String, partitions: Int? = nil) throws -> Int {
        try client.ensureTopic(topic, partitions: partitions, within: Deadline(settings.reachLimit))
    }

    private func topicHandle(_ topic: String) throws -> OpaquePointer {
        if let known = topics[topic] { return known }
        let made = try client.makeTopic(topic)
        topics[topic] = made
        return made
    }

    private func checkDeliveries() throws {
        let count = client.events.takeDelivery()
        delivered += count.delivered
        guard count.failed > 0 else { return }
        throw SourceError(
            .retry,
            "\(count.failed) records could not be delivered to \(client.brokers), first to \(count.firstFailure ?? "?"): they are lost to the topic; see to the brokers and write them again"
        )
    }

    private func refused(_ code: rd_kafka_resp_err_t, _ topic: String, _ partition: Int, _ size: Int) -> SourceError {
        SourceError(
            .invalid,
            "a record of \(size) bytes for \(topic)[\(partition)] was refused: \(text(of: code)); see to message.max.bytes and to the number of partitions"
        )
    }

    private func stuck(_ limit: Duration) -> SourceError {
        let queued = rd_kafka_outq_len(client.handle)
        let last = client.events.lastError.map { " (last error: \($0))" } ?? ""
        return SourceError(
            .retry, "\(queued) records still wait to be delivered to \(client.brokers) after \(limit)\(last): see to the brokers")
    }
}
