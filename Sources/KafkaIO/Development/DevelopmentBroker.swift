import CRdKafka
import Engine
import Logging

/// A topic that the development broker has from the start.
package struct DevelopmentTopic: Hashable, Sendable {
    package let name: String
    package let partitions: Int

    package init(name: String, partitions: Int) {
        self.name = name
        self.partitions = partitions
    }

    /// Reads `name:partitions,…`.
    package static func list(_ text: String) throws -> [DevelopmentTopic] {
        try text.parts(at: ",").map { part in
            let words = part.parts(at: ":", omittingEmpty: false)
            guard words.count == 2, !words[0].isEmpty, let partitions = Int(words[1]), (1...10_000).contains(partitions) else {
                throw SourceError(.invalid, "\"\(part)\" names no topic: expected name:partitions, such as fintech.public.transactions:16")
            }
            return DevelopmentTopic(name: String(words[0]), partitions: partitions)
        }
    }
}

/// A Kafka broker for development and tests on 127.0.0.1: librdkafka's mock cluster, in this process.
///
/// It speaks the real protocol and keeps everything in memory. Know its limits: about 5 MB (as compressed by the
/// producer) and 100,000 batches a partition, the oldest dropped beyond that; no transactions; no topics by request (a
/// topic that is asked for by name is created, with 4 partitions); no search by timestamp (it answers "none"); a reader
/// at the end is told of new records only when its `fetch.wait.max.ms` is over.
///
/// `@unchecked Sendable`: the handles never change, and librdkafka lets any thread use them.
package final class DevelopmentBroker: @unchecked Sendable {
    private let client: OpaquePointer
    let cluster: OpaquePointer
    private let relay: PortRelay?
    /// What clients take as `bootstrap.servers`: `host:port`, one for each broker.
    package let bootstrapServers: String

    /// `port`: where clients may begin (nil: any free one). librdkafka picks the brokers' own ports and has no call to
    /// choose them, so a relay listens there: it is only for the first connection, after which clients
    /// know the broker's own address on this machine.
    package init(topics: [DevelopmentTopic] = [], port: Int? = nil, brokers: Int = 1) throws {
        var reason = [CChar](repeating: 0, count: 512)
        let configuration = rd_kafka_conf_new()
        // Without it librdkafka remarks that this client, which only carries the cluster, knows no brokers.
        rd_kafka_conf_set(configuration, "log_level", "4", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count) else {
            rd_kafka_conf_destroy(configuration)
            throw SourceError(.bug, "the development broker can't start: \(terminated(reason))")
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            rd_kafka_destroy(client)
            throw SourceError(
                .retry, "the development broker can't start: librdkafka made no mock cluster; are there free ports on 127.0.0.1?")
        }
        let own = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
        do {
            try Self.create(topics, in: cluster)
            relay = try port.map { try PortRelay(port: $0, target: Self.port(ofFirst: own)) }
        } catch {
            rd_kafka_mock_cluster_destroy(cluster)
            rd_kafka_destroy(client)
            throw error
        }
        bootstrapServers = port.map { "127.0.0.1:\($0)" } ?? own
        self.client = client
        self.cluster = cluster
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    private static func create(_ topics: [DevelopmentTopic], in cluster: OpaquePointer) throws {
        for topic in topics {
            let code = rd_kafka_mock_topic_create(cluster, topic.name, Int32(topic.partitions), 1)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw SourceError(
                    .invalid,
                    "the development broker can't have the topic \(topic.name) with \(topic.partitions) partitions: \(text(of: code))")
            }
        }
    }

    private static func port(ofFirst bootstrapServers: String) throws -> Int {
        let first = bootstrapServers.parts(at: ",").first ?? ""
        guard let port = first.parts(at: ":").last.flatMap({ Int($0) }) else {
            throw SourceError(.bug, "librdkafka's mock cluster names no port: \(bootstrapServers)")
        }
        return port
    }
}
