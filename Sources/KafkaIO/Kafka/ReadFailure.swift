import CRdKafka
import Engine

/// An error that librdkafka reported for a partition while it was read: does it pass, or must the job stop?
struct ReadFailure {
    let partition: TopicPartition
    /// The offset that was to be read next.
    let next: Int64
    let code: rd_kafka_resp_err_t
    let reason: String
    /// What librdkafka's `receive.message.max.bytes` is: a batch that becomes more is not handed over.
    let receiveLimit: Int
    var cure = Cure.skip

    /// What else than other limits helps where a batch can't be read.
    enum Cure: Sendable {
        /// The worker's state is told to pass over it.
        case skip
        /// The rows of a table: what is passed over would be missing or old for ever.
        case writeAnew
        /// It was read before.
        case restoreLimits
    }

    /// nil for what librdkafka mends by trying again at the same offset: brokers down, leaders moving, time-outs.
    /// An error for what it never mends, or would mend by skipping records.
    func error(asking ends: LogEnds) -> SourceError? {
        switch code {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            return lostOffset(ends)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return SourceError(
                .missing,
                "\(partition) does not exist any more (at offset \(next): \(reason)): restore the topic, or start with an empty state directory"
            )
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            return SourceError(
                .invalid, "\(partition) may not be read by this user (at offset \(next): \(reason)): give it the right READ on the topic")
        case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
            // Its checksum was right, so nothing became of it on its way: it was written so.
            return SourceError(
                .invalid,
                "\(partition) holds a batch at offset \(next) or after it that can't be decompressed (\(reason)): it becomes more than receive.message.max.bytes, \(receiveLimit), or was never whole. Raise that limit under input.kafka.properties if whoever wrote it may write so much, or \(passOver)"
            )
        case RD_KAFKA_RESP_ERR__BAD_MSG:
            return SourceError(
                .corrupt,
                "\(partition) holds or sent damaged records at offset \(next) or after it (\(reason)): start again; if it is still there, the log is damaged on the broker: repair it there, or \(passOver)"
            )
        case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
            return SourceError(
                .invalid,
                "\(partition) holds records from offset \(next) on that this librdkafka can't read (\(reason)): install one with that compression"
            )
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
            return SourceError(
                .invalid,
                "\(partition) has a record at offset \(next) that is too large to fetch (\(reason)): raise fetch.message.max.bytes and receive.message.max.bytes under input.kafka.properties, or \(passOver)"
            )
        case RD_KAFKA_RESP_ERR__FATAL:
            return SourceError(.retry, "librdkafka gave up on \(partition) at offset \(next) (\(reason)): start again")
        default:
            return nil
        }
    }

    private var passOver: String {
        switch cure {
        case .skip: "pass over it with `tidemark skip \(partition.topic) \(partition.partition) \(next) --reason TEXT`"
        case .writeAnew:
            "make the topic anew and have the rows of its table written to it again, as a connector's first snapshot does (`tidemark skip` does not pass over rows of a reference topic, which would be missing or old for ever)"
        case .restoreLimits: "set the limits as they were when the state read it"
        }
    }

    private func lostOffset(_ ends: LogEnds) -> SourceError {
        // A limit of its own: an error must not wait long for its words.
        let deadline = Deadline(.seconds(5))
        let low = try? ends.require(.low, of: [partition], within: deadline)[partition]
        let high = try? ends.require(.high, of: [partition], within: deadline)[partition]
        let holds = if let low, let high { "the log holds \(low) to \(high)" } else { "the log's ends could not be asked for" }
        return SourceError(
            .invalid,
            "\(partition) has lost the records at offset \(next), which were not read yet: \(holds) (\(reason)). Nothing was skipped. "
                + "Bring the records back, or start with an empty state directory and raise the topic's retention"
        )
    }
}
