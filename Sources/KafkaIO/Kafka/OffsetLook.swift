import CRdKafka
import Engine
import Logging

/// What librdkafka finds when it reads on at an offset.
package enum OffsetFinding: Sendable, Equatable {
    /// The next record there is has this offset.
    case record(Int64)
    /// The partition ends there.
    case end
    /// A batch, named by its first offset, that is not handed over.
    case unreadable(batch: Int64, reason: String)
}

/// Finds out what stands at offsets of one partition, with a client of its own.
package final class OffsetLook {
    private let client: KafkaClient
    private let partition: TopicPartition
    private let topic: OpaquePointer
    private let limit: Duration

    /// Throws for properties that are refused; asks nobody yet.
    package init(_ settings: KafkaSettings, at partition: TopicPartition, logger: Logger) throws {
        client = try KafkaClient(.consumer, properties: settings.consumerProperties(), logger: logger)
        topic = try client.makeTopic(partition.topic)
        self.partition = partition
        limit = settings.reachLimit
    }

    deinit { rd_kafka_topic_destroy(topic) }

    /// Throws when the offset is not in the log, or nobody answers within the limit.
    package func find(at offset: Int64) throws -> OffsetFinding {
        guard rd_kafka_consume_start(topic, Int32(partition.partition), offset) == 0 else {
            throw SourceError(.invalid, "\(partition) can't be read at offset \(offset): \(text(of: rd_kafka_last_error()))")
        }
        defer { rd_kafka_consume_stop(topic, Int32(partition.partition)) }
        let deadline = Deadline(limit)
        repeat {
            guard let message = rd_kafka_consume(topic, Int32(partition.partition), max(1, min(100, deadline.milliseconds))) else {
                client.serveCallbacks()
                continue
            }
            defer { rd_kafka_message_destroy(message) }
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR: return .record(message.pointee.offset)
            case RD_KAFKA_RESP_ERR__PARTITION_EOF: return .end
            case RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
                let reason = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? text(of: message.pointee.err)
                return .unreadable(batch: message.pointee.offset, reason: reason)
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
                throw SourceError(.missing, "\(partition) has no offset \(offset): it is not in the log")
            default: continue  // librdkafka tries again; the deadline bounds it
            }
        } while !deadline.isOver
        throw client.unreachable(within: limit)
    }

    /// The first offset behind the batch that can't be read and has this offset in it. A batch is one stretch of offsets, and whoever
    /// reads within it is told its first: so halving finds its end, and never passes over another batch.
    package func end(ofBatch batch: Int64, with offset: Int64) throws -> Int64 {
        func isInside(_ offset: Int64) throws -> Bool {
            do {
                if case .unreadable(batch, _) = try find(at: offset) { return true }
                return false
            } catch let error as SourceError where error.kind == .missing {
                return false  // beyond the partition's end
            }
        }
        var (inside, step) = (offset, Int64(1))
        while try isInside(inside + step) {
            inside += step
            step *= 2
        }
        var outside = inside + step
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2
            if try isInside(middle) { inside = middle } else { outside = middle }
        }
        return outside
    }
}
