import CRdKafka
import Engine
import Logging
import Synchronization

/// Reads a Kafka cluster: all assigned partitions, from the positions that the state has, without group membership.
///
/// Back-pressure is not polling: nothing is ever paused, sought or rebalanced, because librdkafka's batch reading loses
/// messages around those. librdkafka's own queue limits bound what is read ahead (see `KafkaSettings`).
public final class KafkaSource: RecordSource {
    private struct Opened {
        /// Where each assigned partition begins; nil until the source is open.
        var starts: [TopicPartition: Int64]?
        var taken: Set<TopicPartition> = []
        var topics: ClusterTopics?
    }

    private let settings: KafkaSettings
    private let properties: [String: String]
    private let logger: Logger
    private let client: KafkaClient
    private let lag: LagReporter
    private let opened = Mutex(Opened())

    /// Makes the client; brokers are first talked to by `partitionCount` or `open`. Throws naming each property refused.
    public init(_ settings: KafkaSettings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        properties = try settings.consumerProperties()
        client = try KafkaClient(.consumer, properties: properties, logger: logger)
        lag = LagReporter(client: client, interval: settings.lagInterval)
    }

    deinit { lag.finish() }

    public func reach() throws { _ = try ClusterTopics.ask(client, within: Deadline(settings.reachLimit)) }

    public var outage: String? {
        // While a start waits for an answer, nobody else takes librdkafka's news.
        client.serveCallbacks()
        return client.events.brokersDown
    }

    public func partitionCount(of topic: String) throws -> Int {
        let topics = try ClusterTopics.ask(client, within: Deadline(settings.reachLimit))
        return try topics.partitionCount(of: topic, on: client)
    }

    @discardableResult
    public func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] {
        if opened.withLock({ $0.starts != nil }) { throw SourceError(.bug, "the Kafka source was opened twice") }
        let deadline = Deadline(settings.reachLimit)
        let topics = try ClusterTopics.ask(client, within: deadline)
        for assignment in assignments { try topics.require(assignment.partition, on: client) }
        let starts = try checkedStarts(of: assignments, within: deadline)
        logger.info(
            "reading \(starts.count == 1 ? "1 partition" : "\(starts.count) partitions") of \(Set(starts.keys.map(\.topic)).sorted().joined(separator: ", ")) from \(client.brokers)"
        )
        opened.withLock { opened in
            opened.starts = starts
            opened.topics = topics
        }
        return starts
    }

    public func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader {
        let starts = try opened.withLock { opened in
            guard let starts = opened.starts else { throw SourceError(.bug, "a reader was asked for before the Kafka source was open") }
            for partition in partitions where starts[partition] == nil || !opened.taken.insert(partition).inserted {
                throw SourceError(.bug, "\(partition) was not assigned, or has a reader already")
            }
            return partitions.map { ($0, starts[$0] ?? 0) }
        }
        return try KafkaReader(
            starts, client: client, readAhead: settings.readAhead,
            limits: .init(receiveLimit: settings.receiveLimit, cure: settings.readsReferences ? .writeAnew : .skip),
            confirmMissing: { [self] in try confirmMissing($0) })
    }

    public func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        LogEnds(client: client).available(of: partitions, leaders: opened.withLock { $0.topics }, timeout: timeout)
    }

    public func logEnds(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: LogEnd] {
        let ends = LogEnds(client: client)
        return Dictionary(
            uniqueKeysWithValues: self.ends(of: partitions, timeout: timeout).map { partition, readable in
                (partition, LogEnd(end: max(readable, ends.fetched(partition) ?? readable), readable: readable))
            })
    }

    public func report(_ positions: [TopicPartition: Int64]) { lag.report(positions) }

    private func checkedStarts(of assignments: [SourceAssignment], within deadline: Deadline) throws -> [TopicPartition: Int64] {
        let ends = LogEnds(client: client)
        let partitions = assignments.map(\.partition)
        let low = try ends.require(.low, of: partitions, within: deadline)
        let high = try ends.require(.high, of: partitions, within: deadline)
        let fresh = assignments.filter { $0.position == nil }.map(\.partition)
        var starts = try freshStarts(of: fresh, low: low, high: high, within: deadline)
        var toRecognise: [TopicPartition: RecordFingerprint] = [:]
        for case (let partition, let position?) in assignments.map({ ($0.partition, $0.position) }) {
            let check = AssignmentCheck(partition: partition, low: low[partition, default: 0], high: high[partition, default: 0])
            starts[partition] = try check.start(at: position)
            toRecognise[partition] = check.recordToRecognise(of: position)
        }
        try recognise(toRecognise, within: deadline)
        return starts
    }

    private func freshStarts(
        of partitions: [TopicPartition], low: [TopicPartition: Int64], high: [TopicPartition: Int64], within deadline: Deadline
    ) throws -> [TopicPartition: Int64] {
        let chosen: [TopicPartition: Int64] =
            switch settings.start {
            case .earliest: low
            case .latest: high
            case .time(let time): try LogEnds(client: client).require(.firstAt(time), of: partitions, within: deadline)
            }
        if settings.start == .earliest {
            for partition in partitions.sorted() where low[partition, default: 0] > 0 {
                logger.notice("\(partition) begins at offset \(low[partition, default: 0]): retention removed what was before")
            }
        }
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, chosen[$0] ?? high[$0] ?? 0) })
    }

    private func recognise(_ expected: [TopicPartition: RecordFingerprint], within deadline: Deadline) throws {
        guard !expected.isEmpty else { return }
        let probe = try RecordProbe(properties: properties, receiveLimit: settings.receiveLimit, logger: logger)
        let found = try probe.records(at: expected.mapValues(\.offset), within: deadline)
        for (partition, fingerprint) in expected.sorted(by: { $0.key < $1.key }) {
            try AssignmentCheck.recognise(found[partition] ?? nil, as: fingerprint, in: partition)
        }
    }

    /// A single answer may come from a broker that is just starting: only a second one that agrees stops the job.
    private func confirmMissing(_ reason: String) throws {
        let limit = Duration.seconds(5)
        guard let topics = try? ClusterTopics.ask(client, within: Deadline(limit)) else { return }
        for partition in opened.withLock({ $0.starts ?? [:] }).keys.sorted() {
            do {
                try topics.require(partition, on: client)
            } catch {
                throw SourceError(
                    .invalid,
                    "\(partition) can't be read any more (\(reason)): restore the topic or its rights and start again; the state keeps its position",
                    cause: error)
            }
        }
    }
}
