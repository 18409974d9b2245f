import CRdKafka
import Engine
import Logging

/// How records are written to Kafka.
package struct WriterSettings: Sendable {
    /// librdkafka's properties, verbatim; those of `KafkaProperties.ownedByProducer` are refused. Defaults: zstd,
    /// idempotence (set enable.idempotence to false for a broker or user that can't), 64 MiB and 100,000 records queued.
    package var properties: [String: String]
    /// How long `send` waits for room in the queue before it gives up.
    package var queueWaitLimit: Duration
    /// How long the brokers may take to answer what is asked of them (topics, partitions).
    package var reachLimit: Duration

    package init(properties: [String: String], queueWaitLimit: Duration = .seconds(60), reachLimit: Duration = .seconds(30)) {
        self.properties = properties
        self.queueWaitLimit = queueWaitLimit
        self.reachLimit = reachLimit
    }

    func producerProperties() throws -> [String: String] {
        let problems = KafkaProperties.problems(in: properties, for: .producer)
        guard problems.isEmpty else {
            throw SourceError(.invalid, "Kafka producer properties: " + problems.map(\.message).joined(separator: "; "))
        }
        let defaults = [
            "client.id": "tidemark-writer",
            "enable.idempotence": "true",
            "compression.codec": properties["compression.type"] ?? "zstd",
            "linger.ms": properties["queue.buffering.max.ms"] ?? "20",
            "queue.buffering.max.kbytes": "65536",
            "reconnect.backoff.max.ms": "1000",
        ]
        return properties.merging(defaults) { user, _ in user }.merging(["acks": "all"]) { $1 }
    }
}
