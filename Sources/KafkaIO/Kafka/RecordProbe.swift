import CRdKafka
import Engine
import Logging

/// Reads single records of many partitions, to recognise a log again.
///
/// It has a client of its own with small fetches, so that a probe of many partitions reads little, and what it reads
/// never meets what the source reads.
final class RecordProbe {
    private let client: KafkaClient
    private var topics: [String: OpaquePointer] = [:]
    private var started: [TopicPartition] = []

    private let receiveLimit: Int

    init(properties: [String: String], receiveLimit: Int, logger: Logger) throws {
        self.receiveLimit = receiveLimit
        // The limit is one of bytes: a queue that is full by its number of records (1, say) makes librdkafka 2.0 wait a
        // second before the next fetch, which a start would pay for each partition.
        let small = [
            "queued.min.messages": "100000", "queued.max.messages.kbytes": "1024", "fetch.wait.max.ms": "20",
            "fetch.message.max.bytes": "65536",
        ]
        var merged = properties.merging(small) { $1 }
        merged["max.partition.fetch.bytes"] = nil  // an alias that would undo the above
        client = try KafkaClient(.consumer, properties: merged, logger: logger)
    }

    deinit {
        for partition in started { rd_kafka_consume_stop(topics[partition.topic], Int32(partition.partition)) }
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
    }

    /// What stands at each offset; nil where no record does any more (retention, compaction, a control record).
    func records(at offsets: [TopicPartition: Int64], within deadline: Deadline) throws -> [TopicPartition: RecordFingerprint?] {
        for (partition, offset) in offsets { try start(partition, at: offset) }
        var found: [TopicPartition: RecordFingerprint?] = [:]
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            found[partition] = .some(try record(of: partition, at: offset, within: deadline))
        }
        return found
    }

    private func start(_ partition: TopicPartition, at offset: Int64) throws {
        let topic = try topics[partition.topic] ?? client.makeTopic(partition.topic)
        topics[partition.topic] = topic
        guard rd_kafka_consume_start(topic, Int32(partition.partition), offset) == 0 else {
            throw SourceError(.bug, "\(partition) can't be read at offset \(offset): \(text(of: rd_kafka_last_error()))")
        }
        started.append(partition)
    }

    private func record(of partition: TopicPartition, at offset: Int64, within deadline: Deadline) throws -> RecordFingerprint? {
        repeat {
            guard
                let message = rd_kafka_consume(topics[partition.topic], Int32(partition.partition), max(1, min(100, deadline.milliseconds)))
            else {
                client.serveCallbacks()
                client.wakeFetchers()
                continue
            }
            defer { rd_kafka_message_destroy(message) }
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                return message.pointee.offset == offset ? RecordFingerprint(of: sourceRecord(of: message)) : nil
            case RD_KAFKA_RESP_ERR__PARTITION_EOF, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
                return nil
            default:
                let reason = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? text(of: message.pointee.err)
                let failure = ReadFailure(
                    partition: partition, next: offset, code: message.pointee.err, reason: reason, receiveLimit: receiveLimit,
                    cure: .restoreLimits)
                if let error = failure.error(asking: LogEnds(client: client)) { throw error }
            // librdkafka tries again; the deadline bounds it.
            }
        } while !deadline.isOver
        if let answer = client.events.longAnswer { throw client.tooLong(answer, " with records of \(partition) from offset \(offset) on") }
        throw client.unreachable(within: deadline.limit)
    }
}

extension KafkaClient {
    /// A handle of a topic; the caller destroys it. Only for topics known to exist: a broker may be asked for it by name.
    func makeTopic(_ name: String) throws -> OpaquePointer {
        guard let topic = rd_kafka_topic_new(handle, name, nil) else {
            throw SourceError(.invalid, "librdkafka refuses the topic \(name): \(text(of: rd_kafka_last_error()))")
        }
        return topic
    }
}

/// A view of a message that librdkafka handed out, valid until the message is destroyed.
@inline(__always)
func sourceRecord(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> SourceRecord {
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = rd_kafka_message_timestamp(message, &kind)
    return SourceRecord(
        offset: message.pointee.offset,
        // A record whose producer set no time has -1 there, whatever the kind says.
        timestamp: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp < 0 ? nil : EventTime(milliseconds: timestamp),
        key: ByteView(start: message.pointee.key?.assumingMemoryBound(to: UInt8.self), count: message.pointee.key_len),
        value: ByteView(start: message.pointee.payload?.assumingMemoryBound(to: UInt8.self), count: message.pointee.len),
        headers: RecordHeaders(of: UnsafeRawPointer(message), lookup: findHeader)
    )
}
