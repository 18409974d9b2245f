import Engine

/// How a job's rows are written to Kafka topics.
public struct KafkaOutputSettings: Sendable {
    /// librdkafka's properties, verbatim; those of `KafkaProperties.ownedByOutput` are refused.
    public var properties: [String: String]
    /// The job's id: part of the names of transactions and of the group that holds the ledgers.
    public var job: String
    /// What stands before the topics' names.
    public var topicPrefix: String
    /// How long the brokers may take to answer what is asked of them while the output is opened.
    public var reachLimit = Duration.seconds(30)
    /// How long one call to the transaction's coordinator may block, and so how late a stop may be noticed.
    public var callLimit = Duration.seconds(10)
    /// The pause before a failed step is tried again; doubles up to `retryPauseLimit`.
    public var retryPause = Duration.milliseconds(100)
    public var retryPauseLimit = Duration.seconds(5)
    /// How often the ledger of a table without rows is written again; brokers keep a group's offsets for
    /// `offsets.retention.minutes` (7 days) after they were written.
    public var ledgerRefresh = Duration.seconds(86_400)
    /// The least time between two lines in the log about the same trouble of a table.
    public var logInterval = Duration.seconds(10)

    public init(properties: [String: String], job: String, topicPrefix: String) {
        self.properties = properties
        self.job = job
        self.topicPrefix = topicPrefix
    }

    /// For messages.
    var brokers: String { properties["bootstrap.servers"] ?? properties["metadata.broker.list"] ?? "?" }
    package func topic(of table: OutputTable) -> String { topicPrefix + table.topic }
    /// The consumer group whose committed offsets hold the ledgers; nobody ever joins it.
    package var ledgerGroup: String { "tidemark-\(job)-output" }
    func transactionalID(of topic: String) -> String { "tidemark-\(job)-\(topic)" }

    /// For how long a transaction may be open before the brokers abort it.
    var transactionTimeout: Duration { .milliseconds(Int64(properties["transaction.timeout.ms"] ?? "") ?? 60_000) }

    /// Throws what is wrong with the properties.
    func validate() throws {
        let problems = KafkaProperties.problems(in: properties, for: .output)
        guard problems.isEmpty else {
            throw SourceError(.invalid, "output.kafka.properties: " + problems.map(\.message).joined(separator: "; "))
        }
    }

    /// The properties of the producer of one topic.
    func producerProperties(topic: String) -> [String: String] {
        let defaults = [
            "client.id": "tidemark-\(job)-output",
            "compression.codec": properties["compression.type"] ?? "zstd",
            "linger.ms": properties["queue.buffering.max.ms"] ?? "20",
            // A producer a table: together they hold as much as one of librdkafka's own default would.
            "queue.buffering.max.kbytes": "16384",
            // As Kafka's own clients choose a partition, so that other topics' records of the same customer lie beside it.
            "partitioner": "murmur2_random",
            "reconnect.backoff.max.ms": "1000",
            "transaction.timeout.ms": "60000",
        ]
        let owned = ["transactional.id": transactionalID(of: topic), "enable.idempotence": "true", "acks": "all"]
        return properties.merging(defaults) { user, _ in user }.merging(owned) { $1 }
    }

    /// The properties of the client that reads the ledgers.
    var ledgerProperties: [String: String] {
        KafkaProperties.connection(of: properties).merging([
            "group.id": ledgerGroup, "client.id": "tidemark-\(job)-output", "enable.auto.commit": "false",
            "isolation.level": "read_committed", "reconnect.backoff.max.ms": "1000",
        ]) { $1 }
    }

    /// The properties of the client that looks at topics.
    var topicProperties: [String: String] {
        KafkaProperties.connection(of: properties).merging(["client.id": "tidemark-\(job)-output"]) { $1 }
    }
}
