import Dispatch
import Engine
import Logging
import Synchronization

/// Writes a job's rows to Kafka topics, one for each table, each row exactly once for read_committed consumers.
///
/// `open` once, then `deliver` from one thread a table; `status` from anywhere.
///
/// `@unchecked Sendable`: the timer never changes and takes calls of any thread, and the rest is immutable or behind locks.
public final class KafkaOutput: BatchSink, @unchecked Sendable {
    /// What the topology calls this sink; part of names in the state.
    public static let name = SinkName("kafka")

    private let settings: KafkaOutputSettings
    private let logger: Logger
    private let deliveries = Mutex<[String: OneThreadDelivery]>([:])
    private let refresh: any DispatchSourceTimer

    /// Throws `invalid` when the settings can't be right; asks nobody yet.
    public init(_ settings: KafkaOutputSettings, logger: Logger) throws {
        try settings.validate()
        self.settings = settings
        self.logger = logger
        refresh = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "tidemark.ledgers"))
        refresh.setEventHandler { [weak self] in self?.refreshLedgers() }
        refresh.schedule(deadline: .now() + KafkaOutput.refreshTick, repeating: KafkaOutput.refreshTick)
        refresh.resume()
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
        logger.info(
            "rows also go to \(tables.count == 1 ? "1 topic" : "\(tables.count) topics") of \(settings.brokers), named \(settings.topicPrefix)…"
        )
        return Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, .none) })
    }

    deinit { refresh.cancel() }

    /// How often it is looked whether a ledger has to be written again.
    private static let refreshTick = DispatchTimeInterval.seconds(3600)

    private func refreshLedgers() {
        for (table, delivery) in deliveries.withLock({ $0 }) {
            do {
                try delivery.refreshLedger(after: settings.ledgerRefresh)
            } catch {
                logger.warning("the ledger of \(table) could not be written again (the next batch does): \(error)")
            }
        }
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
    package func topic(of table: OutputTable) -> String { settings.topic(of: table) }

    public var status: [TableStatus] {
        let deliveries = deliveries.withLock { Array($0.values) }
        return deliveries.map(\.status).sorted { $0.table < $1.table }
    }
}

extension KafkaOutput {
    /// What a start would find of one table's topic, changing nothing: how many partitions it has (nil: no topic yet) and
    /// the last batch in it. Throws what a start would.
    package func inspect(_ known: SinkTable) throws -> (partitions: Int?, lastBatch: BatchNumber?) {
        let topic = settings.topic(of: known.table)
        let partitions = try partitions(of: known.table)
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

extension KafkaOutput {
    /// How many partitions a table's topic has; nil: no topic yet. Throws when the brokers don't answer.
    package func partitions(of table: OutputTable) throws -> Int? {
        let client = try KafkaClient(.producer, properties: settings.topicProperties, logger: logger)
        return try ClusterTopics.ask(client, within: Deadline(settings.reachLimit)).leaders[settings.topic(of: table)]?.count
    }

    /// An operator's word on what a topic holds: writes its ledger, shutting out whoever writes there. No worker may run.
    package func resolve(_ table: OutboxTable, as ledger: SinkLedger) throws {
        let topic = topic(of: table.table)
        let producer = KafkaTransactions(settings, table: table.table, ledgers: try LedgerReader(settings, logger: logger), logger: logger)
        try OutputDelivery.makeReady(producer, topic, Deadline(settings.reachLimit), settings.retryPause)
        let answer = try OutputDelivery.write(ledger, with: producer, table: table)
        guard answer.outcome == .done else {
            throw SourceError(
                .retry,
                "it is not known whether the ledger of topic \(topic) was written (\(answer.text)): see to the brokers and resolve again")
        }
    }
}

/// A table's delivery, handed from thread to thread.
///
/// `@unchecked Sendable`: the delivery is used with the lock held; its status is behind a lock of its own.
private final class OneThreadDelivery: @unchecked Sendable {
    private let delivery: OutputDelivery
    private let lock = Mutex(())

    init(_ delivery: OutputDelivery) { self.delivery = delivery }

    var status: TableStatus { delivery.status.withLock { $0 } }

    func deliver(_ batch: SinkBatch, isCancelled: () -> Bool) throws -> DeliveryOutcome {
        try lock.withLock { _ in try delivery.deliver(batch, isCancelled: isCancelled) }
    }

    /// Does nothing while a batch is under way: that writes the ledger.
    func refreshLedger(after interval: Duration) throws {
        _ = try lock.withLockIfAvailable { _ in try delivery.refreshLedger(after: interval) }
    }
}
