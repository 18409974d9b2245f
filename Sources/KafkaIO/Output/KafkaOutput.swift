import Engine
import Logging
import Synchronization

/// Writes a job's rows to Kafka topics, one for each table, each row exactly once for read_committed consumers.
///
/// `open` once, then `deliver` from one thread a table; `status` from anywhere.
public final class KafkaOutput: BatchSink {
    /// What the topology calls this sink; part of names in the state.
    public static let name = SinkName("kafka")

    private let settings: KafkaOutputSettings
    private let logger: Logger
    private let deliveries = Mutex<[String: OneThreadDelivery]>([:])

    /// Throws `invalid` when the settings can't be right; asks nobody yet.
    public init(_ settings: KafkaOutputSettings, logger: Logger) throws {
        try settings.validate()
        self.settings = settings
        self.logger = logger
    }

    /// Makes sure that every table's topic exists, ends what an earlier process left open there, and checks the ledgers.
    public func open(_ tables: [SinkTable]) throws -> [String: RowPartitioning] {
        try createTopics(tables)
        let ledgers = try LedgerReader(settings, logger: logger)
        for known in tables {
            let producer = KafkaTransactions(settings, table: known.table, ledgers: ledgers, logger: logger)
            let delivery = try OutputDelivery(known, producer, settings: settings, logger: logger)
            deliveries.withLock { $0[known.outboxName] = OneThreadDelivery(delivery) }
        }
        logger.info("rows also go to \(tables.count == 1 ? "1 topic" : "\(tables.count) topics") of \(settings.brokers), named \(settings.topicPrefix)…")
        return Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, .none) })
    }

    private func createTopics(_ tables: [SinkTable]) throws {
        let client = try KafkaClient(.producer, properties: settings.topicProperties, logger: logger)
        let deadline = Deadline(settings.reachLimit)
        for table in tables { _ = try client.ensureTopic(settings.topic(of: table.table), partitions: nil, within: deadline) }
    }

    public func deliver(
        _ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool
    ) throws -> DeliveryOutcome {
        guard let delivery = deliveries.withLock({ $0[batch.table] }) else {
            throw SourceError(.bug, "a batch for the output \(batch.table), which was not opened")
        }
        return try delivery.deliver(batch, isCancelled: isCancelled)
    }

    /// The name of a table's topic.
    public func topic(of table: OutputTable) -> String { settings.topic(of: table) }

    public var status: [TableStatus] {
        let deliveries = deliveries.withLock { Array($0.values) }
        return deliveries.map(\.status).sorted { $0.table < $1.table }
    }
}

extension KafkaOutput {
    /// What a start would find of one table's topic, changing nothing: how many partitions it has (nil: no topic yet) and
    /// the last batch in it. Throws what a start would.
    public func inspect(_ known: SinkTable) throws -> (partitions: Int?, lastBatch: BatchNumber?) {
        let topic = settings.topic(of: known.table)
        let client = try KafkaClient(.producer, properties: settings.topicProperties, logger: logger)
        let partitions = try ClusterTopics.ask(client, within: Deadline(settings.reachLimit)).leaders[topic]?.count
        guard partitions != nil else {
            try OutputDelivery.check(nil, known, settings)
            return (nil, nil)
        }
        switch try LedgerReader(settings, logger: logger).read(topic, within: settings.reachLimit) {
        case .found(let ledger):
            try OutputDelivery.check(ledger, known, settings)
            return (partitions, ledger?.number)
        case .unavailable(let text):
            throw SourceError(.retry, "\(text): see to the brokers, or look again when the job that writes there is stopped")
        }
    }
}

/// A table's delivery, handed from thread to thread.
///
/// `@unchecked Sendable`: the delivery is used only inside `deliver`, by one thread at a time, and a second thread traps;
/// its status is behind a lock of its own.
private final class OneThreadDelivery: @unchecked Sendable {
    private let delivery: OutputDelivery
    private let isBusy = Atomic(false)

    init(_ delivery: OutputDelivery) { self.delivery = delivery }

    var status: TableStatus { delivery.status.withLock { $0 } }

    func deliver(_ batch: SinkBatch, isCancelled: () -> Bool) throws -> DeliveryOutcome {
        let wasBusy = isBusy.exchange(true, ordering: .acquiringAndReleasing)
        precondition(!wasBusy, "two batches of \(batch.table) at a time")
        defer { isBusy.store(false, ordering: .releasing) }
        return try delivery.deliver(batch, isCancelled: isCancelled)
    }
}
