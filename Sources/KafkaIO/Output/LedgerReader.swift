import CRdKafka
import Engine
import Logging

/// Reads the ledgers of a job's output topics: the metadata of a consumer group's committed offsets, partition 0 of each
/// topic standing for its table. Only what was committed is told; a transaction that is being ended is waited for.
///
/// May be used by any thread.
final class LedgerReader: Sendable {
    private let client: KafkaClient
    private let group: String

    init(_ settings: KafkaOutputSettings, logger: Logger) throws {
        client = try KafkaClient(.consumer, properties: settings.ledgerProperties, logger: logger)
        group = settings.ledgerGroup
    }

    /// The partition whose committed offset stands for the topic's table. It exists on every broker, and a topic that is
    /// deleted takes its ledger with it.
    static func place(of topic: String) -> TopicPartition { TopicPartition(topic: topic, partition: 0) }

    /// Throws when the group holds something else there.
    func read(_ topic: String, within limit: Duration) throws -> LedgerAnswer {
        let list = PartitionList([LedgerReader.place(of: topic): Int64(RD_KAFKA_OFFSET_INVALID)])
        let code = rd_kafka_committed(client.handle, list.handle, limit.milliseconds)
        client.serveCallbacks()
        let element = list.handle.pointee.elems[0]
        // A group that nobody has committed to is unknown to some brokers, and empty to others.
        if [code, element.err].contains(RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) { return .found(nil) }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { return .unavailable(unavailable(topic, code)) }
        guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .unavailable(unavailable(topic, element.err)) }
        guard element.offset >= 0 else { return .found(nil) }
        let metadata = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata == nil ? 0 : element.metadata_size)
        let text = ByteView(metadata).text
        guard let ledger = SinkLedger(text) else {
            throw SourceError(
                .invalid,
                "the consumer group \(group) holds offset \(element.offset) with the metadata \"\(text.prefix(100))\" for topic \(topic) on \(client.brokers), which this job did not write: remove that group's offsets, or choose another job.id"
            )
        }
        return .found(ledger)
    }

    private func unavailable(_ topic: String, _ code: rd_kafka_resp_err_t) -> String {
        let last = client.events.lastError.map { "; last error: \($0)" } ?? ""
        return "the ledger of \(topic) (group \(group)) can't be read from \(client.brokers): \(text(of: code))\(last)"
    }
}
