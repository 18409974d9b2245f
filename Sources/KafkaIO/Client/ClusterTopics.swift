import CRdKafka
import Engine

/// The topics of a cluster and the leaders of their partitions, as a broker told them.
struct ClusterTopics {
    /// By topic, then partition: the leader's id, -1 where there is none.
    let leaders: [String: [Int: Int32]]
    let brokers: Set<Int32>

    /// Asks any broker, again and again until the limit.
    ///
    /// All topics are asked for, not the ones wanted: brokers before Kafka 2.0, and librdkafka's mock cluster, create a
    /// topic that is asked for by name.
    static func ask(_ client: KafkaClient, within deadline: Deadline) throws -> ClusterTopics {
        repeat {
            var answer: UnsafePointer<rd_kafka_metadata>?
            let result = rd_kafka_metadata(client.handle, 1, nil, &answer, max(1, deadline.milliseconds))
            client.serveCallbacks()
            guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
                deadline.pauseBeforeRetry()
                continue
            }
            defer { rd_kafka_metadata_destroy(answer) }
            client.events.heardAnswer()
            return ClusterTopics(answer.pointee)
        } while !deadline.isOver
        throw client.unreachable(within: deadline.limit)
    }

    private init(_ metadata: rd_kafka_metadata) {
        var leaders: [String: [Int: Int32]] = [:]
        for index in 0..<Int(metadata.topic_cnt) {
            let topic = metadata.topics[index]
            // A topic whose leaders are being elected exists; any other error means that it can't be used.
            guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR || topic.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE else { continue }
            var partitions: [Int: Int32] = [:]
            for place in 0..<Int(topic.partition_cnt) {
                let partition = topic.partitions[place]
                partitions[Int(partition.id)] = partition.leader
            }
            leaders[String(cString: topic.topic)] = partitions
        }
        self.leaders = leaders
        brokers = Set((0..<Int(metadata.broker_cnt)).map { metadata.brokers[$0].id })
    }

    /// How many partitions a topic has; throws, naming what is there instead, when it does not exist.
    func partitionCount(of topic: String, on client: KafkaClient) throws -> Int {
        if let partitions = leaders[topic], !partitions.isEmpty { return partitions.count }
        let known = leaders.keys.filter { !$0.begins(with: "__") }.sorted()
        let there = known.isEmpty ? "no topics" : known.prefix(10).joined(separator: ", ") + (known.count > 10 ? ", …" : "")
        throw SourceError(
            .missing,
            "topic \(topic) does not exist on \(client.brokers), or may not be seen by this user (there: \(there)): create it (kafka-topics.sh --bootstrap-server \(client.brokers) --create --topic \(topic) --partitions N) or correct input.topicPrefix; reading never creates a topic"
        )
    }

    /// Throws when a partition does not exist.
    func require(_ partition: TopicPartition, on client: KafkaClient) throws {
        let count = try partitionCount(of: partition.topic, on: client)
        if leaders[partition.topic]?[partition.partition] == nil {
            throw SourceError(
                .missing, "\(partition) does not exist on \(client.brokers): the topic has \(count) partitions (0 to \(count - 1))")
        }
    }

    /// The partitions by their leader; those of unknown or absent leaders together under -1.
    func byLeader(_ partitions: [TopicPartition]) -> [Int32: [TopicPartition]] {
        Dictionary(grouping: partitions) { leaders[$0.topic]?[$0.partition] ?? -1 }
    }
}

extension KafkaClient {
    /// The error for brokers that nobody could be reached at in time.
    func unreachable(within limit: Duration) -> SourceError {
        if let answer = events.longAnswer { return tooLong(answer, "") }
        let last = events.lastError.map { "last error: \($0)" } ?? "no error was reported"
        return SourceError(
            .retry,
            "no Kafka broker of \(brokers) answered within \(limit) (\(last)): start the brokers, or correct bootstrap.servers and the security properties"
        )
    }

    /// The error for brokers that answer with more than is taken. `what`: of what, as in ` with records of t[0] from offset 7 on`.
    func tooLong(_ answer: String, _ what: String) -> SourceError {
        SourceError(
            .invalid,
            "Kafka at \(brokers) answers\(what) with more bytes than receive.message.max.bytes, which a batch may be alone (\(answer)): raise it under input.kafka.properties, above the topics' max.message.bytes; or correct bootstrap.servers, if what answers there is no broker"
        )
    }
}
