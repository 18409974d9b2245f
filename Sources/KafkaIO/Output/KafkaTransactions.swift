import CRdKafka
import Engine
import Glibc
import Logging

/// librdkafka's transactional producer for one topic.
final class KafkaTransactions: TransactionalProducer {
    private let settings: KafkaOutputSettings
    private let topic: String
    private let ledgers: LedgerReader
    private let logger: Logger
    private var rows = RowJSON()
    private var connection: Connection?
    /// When the transaction under way began; nil between transactions.
    private var begun: ContinuousClock.Instant?

    /// A client and its handle of the topic, which must go first.
    private final class Connection {
        let client: KafkaClient
        let topic: OpaquePointer

        init(_ settings: KafkaOutputSettings, topic: String, logger: Logger) throws {
            client = try KafkaClient(.output, properties: settings.producerProperties(topic: topic), logger: logger)
            self.topic = try client.makeTopic(topic)
        }

        deinit { rd_kafka_topic_destroy(topic) }
    }

    init(_ settings: KafkaOutputSettings, table: OutputTable, ledgers: LedgerReader, logger: Logger) {
        self.settings = settings
        topic = settings.topic(of: table)
        self.ledgers = ledgers
        self.logger = logger
    }

    private var callMilliseconds: Int32 { settings.callLimit.milliseconds }

    func initialize(anew: Bool) throws -> TransactionAnswer {
        if anew {
            connection = nil
            begun = nil
        }
        let connection = try self.connection ?? Connection(settings, topic: topic, logger: logger)
        self.connection = connection
        return answer(rd_kafka_init_transactions(connection.client.handle, callMilliseconds), connection)
    }

    func readLedger() throws -> LedgerAnswer { try ledgers.read(topic, within: settings.callLimit) }

    func send(_ batch: SinkBatch, entry: SinkLedger, isCancelled: () -> Bool) throws -> TransactionAnswer {
        guard let connection else { return TransactionAnswer(outcome: .lost, text: "there is no client") }
        _ = connection.client.events.takeDelivery()
        begun = .now
        if let error = rd_kafka_begin_transaction(connection.client.handle) { return answer(error, connection) }
        var failure: TransactionAnswer?
        try rows.forEachRow(of: batch) { key, value in
            if failure == nil { failure = try produce(key, value, connection, isCancelled) }
        }
        return failure ?? write(entry, connection)
    }

    /// Puts a record in the client's queue, waiting while that is full; nil when it is there.
    private func produce(_ key: ByteView, _ value: ByteView, _ connection: Connection, _ isCancelled: () -> Bool) throws
        -> TransactionAnswer?
    {
        var waiting: Deadline?
        while true {
            let code = tidemark_produce(
                connection.client.handle, connection.topic, RD_KAFKA_PARTITION_UA, key.start, key.count, value.start, value.count, 0, nil)
            switch code {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                return nil
            case RD_KAFKA_RESP_ERR__QUEUE_FULL:
                let deadline = waiting ?? Deadline(settings.transactionTimeout)
                waiting = deadline
                guard !deadline.isOver, !isCancelled() else {
                    return TransactionAnswer(outcome: .abort, text: "the brokers took no rows for \(deadline.limit)")
                }
                rd_kafka_poll(connection.client.handle, 100)
            case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
                throw SourceError(
                    .invalid,
                    "a row of \(value.count) bytes for topic \(topic) is larger than message.max.bytes: raise that in output.kafka.properties, and max.message.bytes of the topic"
                )
            default:
                return TransactionAnswer(outcome: .abort, text: "rows can't be sent to \(topic): \(text(of: code))")
            }
        }
    }

    /// The ledger's new entry, as part of the transaction.
    private func write(_ entry: SinkLedger, _ connection: Connection) -> TransactionAnswer {
        let list = PartitionList([LedgerReader.place(of: topic): Int64(clamping: entry.number.number)])
        let text = entry.description
        list.handle.pointee.elems[0].metadata = UnsafeMutableRawPointer(strdup(text))  // freed with the list
        list.handle.pointee.elems[0].metadata_size = text.utf8.count
        let group = rd_kafka_consumer_group_metadata_new(settings.ledgerGroup)
        defer { rd_kafka_consumer_group_metadata_destroy(group) }
        return answer(rd_kafka_send_offsets_to_transaction(connection.client.handle, list.handle, group, callMilliseconds), connection)
    }

    func commit() -> TransactionAnswer { end { rd_kafka_commit_transaction($0, $1) } }
    func abort() -> TransactionAnswer { end { rd_kafka_abort_transaction($0, $1) } }

    private func end(_ call: (OpaquePointer, Int32) -> OpaquePointer?) -> TransactionAnswer {
        guard let connection else { return TransactionAnswer(outcome: .lost, text: "there is no client") }
        let result = answer(call(connection.client.handle, callMilliseconds), connection)
        if result.outcome == .done { begun = nil }
        return result
    }

    // MARK: - What librdkafka says

    private static let fencedCodes = [
        RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
    ]

    /// As the error object says; its codes only tell fencing from other fatal errors.
    private func answer(_ error: OpaquePointer?, _ connection: Connection) -> TransactionAnswer {
        guard let error else { return .done }
        defer { rd_kafka_error_destroy(error) }
        let failed = connection.client.events.takeDelivery().firstFailure.map { " (first failed row: \($0))" } ?? ""
        let text = "\(String(cString: rd_kafka_error_name(error))): \(String(cString: rd_kafka_error_string(error)))\(failed)"
        let isFatal = rd_kafka_error_is_fatal(error) != 0
        let cause = isFatal ? rd_kafka_fatal_error(connection.client.handle, nil, 0) : RD_KAFKA_RESP_ERR_NO_ERROR
        let outcome: TransactionalDelivery.Outcome
        if KafkaTransactions.fencedCodes.contains(rd_kafka_error_code(error)) || KafkaTransactions.fencedCodes.contains(cause) {
            outcome = wasTimedOut ? .lost : .fenced
        } else if isFatal {
            outcome = .lost
        } else if rd_kafka_error_txn_requires_abort(error) != 0 {
            outcome = .abort
        } else if rd_kafka_error_is_retriable(error) != 0 {
            outcome = .retry
        } else {
            outcome = .lost
        }
        return TransactionAnswer(outcome: outcome, text: text)
    }

    /// A transaction that was open for too long is aborted by the brokers, which then answer its producer as if another
    /// had taken over. Whether one has is found out by beginning anew.
    private var wasTimedOut: Bool { begun.map { .now - $0 >= settings.transactionTimeout } ?? false }
}
