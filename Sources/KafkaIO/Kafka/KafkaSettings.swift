import CRdKafka
import Engine

/// How a Kafka cluster is read.
///
/// Memory: a reader holds at most about `queued.max.messages.kbytes` of records (8 MiB) and `queued.min.messages` of
/// them, and one answer of `fetch.max.bytes` (1 MiB, compressed) per broker is on its way; with the records of about a
/// fivefold compression and 4 readers that is under 64 MiB for any number of partitions. Override them in `properties`.
public struct KafkaSettings: Sendable {
    /// Where a partition that has no state yet begins.
    public enum Start: Hashable, Sendable {
        case earliest
        /// What is written after the source was opened.
        case latest
        /// The first record with this timestamp or a later one; the end where there is none.
        case time(EventTime)
    }

    /// librdkafka's properties, verbatim; those the engine owns are refused (`KafkaProperties.ownedByConsumer`).
    public var properties: [String: String]
    /// The consumer group whose committed offsets follow the state, unless `properties` has a `group.id`. By convention the job's id.
    public var defaultGroup: String
    public var start: Start
    /// How long to wait for the brokers before the source is open; once it is, it waits for ever.
    public var reachLimit: Duration
    /// The least time between two commits of the group's offsets.
    public var lagInterval: Duration
    /// Reference topics are read: what can't be read of them is not passed over, so that errors advise something else.
    package var readsReferences = false

    public init(
        properties: [String: String], defaultGroup: String, start: Start = .earliest,
        reachLimit: Duration = .seconds(30), lagInterval: Duration = .seconds(5)
    ) {
        self.properties = properties
        self.defaultGroup = defaultGroup
        self.start = start
        self.reachLimit = reachLimit
        self.lagInterval = lagInterval
    }

    /// How much a reader reads ahead: its queue's limits, ours or the user's.
    var readAhead: ReadAhead {
        let properties = merged()
        return ReadAhead(
            bytes: (properties["queued.max.messages.kbytes"].flatMap { Int($0) } ?? 65_536) * 1024,
            records: properties["queued.min.messages"].flatMap { Int($0) } ?? 100_000)
    }

    /// The most bytes that librdkafka takes of an answer, and makes of a compressed batch.
    var receiveLimit: Int { properties["receive.message.max.bytes"].flatMap { Int($0) } ?? 100_000_000 }

    /// The properties of a consumer: our defaults, the user's over them, the owned ones over all.
    func consumerProperties() throws -> [String: String] {
        let problems = KafkaProperties.problems(in: properties, for: .consumer)
        guard problems.isEmpty else {
            throw SourceError(.invalid, "input.kafka.properties: " + problems.map(\.message).joined(separator: "; "))
        }
        return merged()
    }

    private func merged() -> [String: String] {
        properties
            .merging(defaults()) { user, _ in user }
            .merging(Self.owned) { _, owned in owned }
    }

    private func defaults() -> [String: String] {
        var defaults = [
            "group.id": defaultGroup,
            "client.id": "tidemark-\(defaultGroup)",
            "queued.max.messages.kbytes": "8192",
            "queued.min.messages": "20000",
            // A broker answers at once when it has something; this bounds how long it holds an answer when it has not.
            "fetch.wait.max.ms": "100",
            "reconnect.backoff.max.ms": "1000",
            // There is no session; librdkafka waits so long for a lag commit's coordinator, also when the source ends.
            "session.timeout.ms": "3000",
            "heartbeat.interval.ms": "1000",
            "socket.timeout.ms": "20000",
            "topic.metadata.refresh.interval.ms": "60000",
        ]
        // librdkafka wants fetch.max.bytes >= message.max.bytes: who raises the one decides about the other.
        if properties["message.max.bytes"] == nil { defaults["fetch.max.bytes"] = "1048576" }
        return defaults
    }

    private static let owned = [
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
        "auto.offset.reset": "error",
        "enable.partition.eof": "true",
        "check.crcs": "true",
        "allow.auto.create.topics": "false",
    ]
}

/// The limits of a reader's queue, whichever is reached first.
struct ReadAhead {
    let bytes: Int
    let records: Int

    /// Taking so much makes room that the fetching threads should know of: a quarter of a full queue.
    func isWorthWakingFor(bytes takenBytes: Int, records takenRecords: Int) -> Bool {
        takenBytes >= bytes / 4 || takenRecords >= records / 4
    }
}
