import CRdKafka
import Engine

/// Creates a topic by request, or, where the broker has no such request, by asking for it by name.
struct TopicCreation {
    let client: KafkaClient
    let topic: String
    /// nil: the broker's default.
    let partitions: Int?

    /// `brokers`: all of the cluster. Where none of them is the controller, as in librdkafka's mock cluster, a request
    /// would only wait for one.
    func create(within deadline: Deadline, brokers: Set<Int32>) throws {
        guard let partitions, brokers.contains(rd_kafka_controllerid(client.handle, max(1, deadline.milliseconds))) else {
            return askByName(deadline)
        }
        let code = try request(partitions, within: deadline)
        switch code {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
            return
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
            askByName(deadline)
        default:
            throw SourceError(
                .invalid,
                "topic \(topic) could not be created on \(client.brokers): \(text(of: code)); create it by hand with \(partitions) partitions"
            )
        }
    }

    /// Brokers that create topics on first use do it when a client's metadata request names them.
    private func askByName(_ deadline: Deadline) {
        guard let handle = rd_kafka_topic_new(client.handle, topic, nil) else { return }
        defer { rd_kafka_topic_destroy(handle) }
        var answer: UnsafePointer<rd_kafka_metadata>?
        // The caller looks whether the topic is there; a failure here shows in that.
        if rd_kafka_metadata(client.handle, 0, handle, &answer, max(1, deadline.milliseconds)) == RD_KAFKA_RESP_ERR_NO_ERROR, let answer {
            rd_kafka_metadata_destroy(answer)
        }
    }

    private func request(_ partitions: Int, within deadline: Deadline) throws -> rd_kafka_resp_err_t {
        var reason = [CChar](repeating: 0, count: 512)
        guard let wanted = rd_kafka_NewTopic_new(topic, Int32(partitions), -1, &reason, reason.count) else {
            throw SourceError(.invalid, "topic \(topic) with \(partitions) partitions can't be created: \(terminated(reason))")
        }
        let queue = rd_kafka_queue_new(client.handle)
        defer {
            rd_kafka_NewTopic_destroy(wanted)
            rd_kafka_queue_destroy(queue)
        }
        var wish: OpaquePointer? = wanted
        rd_kafka_CreateTopics(client.handle, &wish, 1, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, max(1, deadline.milliseconds)) else { return RD_KAFKA_RESP_ERR__TIMED_OUT }
        defer { rd_kafka_event_destroy(event) }
        let overall = rd_kafka_event_error(event)
        guard overall == RD_KAFKA_RESP_ERR_NO_ERROR else { return overall }
        var count = 0
        let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
        guard count > 0, let first = results?[0] else { return RD_KAFKA_RESP_ERR__FAIL }
        return rd_kafka_topic_result_error(first)
    }
}

extension KafkaClient {
    /// How many partitions a topic has, after making sure that it exists as `TopicWriter.ensureTopic` says.
    func ensureTopic(_ topic: String, partitions: Int?, within deadline: Deadline) throws -> Int {
        let cluster = try ClusterTopics.ask(self, within: deadline)
        if cluster.leaders[topic] == nil {
            try TopicCreation(client: self, topic: topic, partitions: partitions).create(within: deadline, brokers: cluster.brokers)
        }
        repeat {
            guard let found = try ClusterTopics.ask(self, within: deadline).leaders[topic], !found.isEmpty else {
                deadline.pauseBeforeRetry()
                continue
            }
            if let partitions, partitions != found.count {
                throw SourceError(
                    .invalid,
                    "topic \(topic) on \(brokers) has \(found.count) partitions, not \(partitions): name the number it has, or create it with \(partitions) beforehand (tidemark dev --topics \(topic):\(partitions))"
                )
            }
            return found.count
        } while !deadline.isOver
        throw SourceError(
            .missing,
            "topic \(topic) did not appear on \(brokers) within \(deadline.limit): the brokers create no topics by themselves, so create it by hand"
        )
    }
}
