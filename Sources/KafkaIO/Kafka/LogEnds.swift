import CRdKafka
import Engine
import Foundation
import Synchronization

/// Asks the partitions' leaders for offsets: one request per leader, whatever the number of partitions.
struct LogEnds: Sendable {
    /// What to ask for. Kafka's ListOffsets request takes a timestamp, with two values of it set aside for the ends;
    /// `rd_kafka_offsets_for_times` passes them on as they are, as `rd_kafka_query_watermark_offsets` does for one partition.
    enum Question {
        case low, high
        case firstAt(EventTime)

        /// A log has both ends always, but not a record for every time.
        fileprivate var mayHaveNoAnswer: Bool {
            switch self {
            case .low, .high: false
            case .firstAt: true
            }
        }

        fileprivate var timestamp: Int64 {
            switch self {
            case .low: Int64(RD_KAFKA_OFFSET_BEGINNING)
            case .high: Int64(RD_KAFKA_OFFSET_END)
            case .firstAt(let time): max(0, time.milliseconds)
            }
        }
    }

    let client: KafkaClient

    /// The offsets of all partitions, asked again and again until the limit.
    /// For `.firstAt`, partitions that have no such record are left out.
    func require(_ question: Question, of partitions: [TopicPartition], within deadline: Deadline) throws -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        var lastCode = RD_KAFKA_RESP_ERR__TIMED_OUT
        repeat {
            switch ask(question, of: partitions, milliseconds: max(1, deadline.milliseconds)) {
            case .success(let answered):
                let offsets = answered.filter { $0.value >= 0 }
                if question.mayHaveNoAnswer || offsets.count == Set(partitions).count { return offsets }
            case .failure(let refusal): lastCode = refusal.code
            }
            client.serveCallbacks()
            if lastCode == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED { break }
            deadline.pauseBeforeRetry()
        } while !deadline.isOver
        throw SourceError(
            .retry,
            "the offsets of \(Self.names(partitions)) could not be asked of \(client.brokers) within \(deadline.limit): \(text(of: lastCode))"
                + (client.events.lastError.map { " (last error: \($0))" } ?? "")
                + "; see to the partitions' leaders and to the user's rights"
        )
    }

    /// The ends of the partitions whose leaders answer in time.
    func available(of partitions: [TopicPartition], leaders: ClusterTopics?, timeout: Duration) -> [TopicPartition: Int64] {
        sideBySide(partitions, leaders) { answers(.high, of: $0, milliseconds: timeout.milliseconds) }
    }

    /// The high watermark that came with the last answer to a fetch; nil before there was one. A leader is asked by the isolation level
    /// of the client, and answers a read_committed one with the last stable offset; what it sends to who reads says both, and comes
    /// every `fetch.wait.max.ms`.
    func fetched(_ partition: TopicPartition) -> Int64? {
        var (low, high) = (Int64(-1), Int64(-1))
        let code = rd_kafka_get_watermark_offsets(client.handle, partition.topic, Int32(partition.partition), &low, &high)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : nil
    }

    /// Both ends of the partitions whose leaders answer in time.
    func bounds(of partitions: [TopicPartition], leaders: ClusterTopics, within deadline: Deadline) -> [TopicPartition: LogBounds] {
        sideBySide(partitions, leaders) { group in
            let low = answers(.low, of: group, milliseconds: deadline.milliseconds)
            // What a topic holds only moves upwards, so an end that is asked for later is never below a start.
            let high = answers(.high, of: Array(low.keys), milliseconds: deadline.milliseconds)
            return high.reduce(into: [:]) { bounds, end in bounds[end.key] = low[end.key].map { .known(start: $0, end: end.value) } }
        }
    }

    /// Leaders are asked side by side, so that one that is down costs the others nothing but the time.
    private func sideBySide<Answer: Sendable>(
        _ partitions: [TopicPartition], _ leaders: ClusterTopics?, _ ask: @escaping @Sendable ([TopicPartition]) -> [TopicPartition: Answer]
    ) -> [TopicPartition: Answer] {
        let groups = leaders.map { Array($0.byLeader(partitions).values) } ?? [partitions]
        guard groups.count > 1 else { return ask(partitions) }
        let found = FoundAnswers<Answer>()
        let waiting = DispatchGroup()
        for group in groups {
            waiting.enter()
            Thread.detachNewThread {
                found.add(ask(group))
                waiting.leave()
            }
        }
        waiting.wait()
        return found.answers
    }

    private func answers(_ question: Question, of partitions: [TopicPartition], milliseconds: Int32) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty, case .success(let offsets) = ask(question, of: partitions, milliseconds: max(1, milliseconds)) else {
            return [:]
        }
        return offsets.filter { $0.value >= 0 }
    }

    private struct Refusal: Error { let code: rd_kafka_resp_err_t }

    private func ask(_ question: Question, of partitions: [TopicPartition], milliseconds: Int32) -> Result<[TopicPartition: Int64], Refusal>
    {
        let timestamp = question.timestamp
        let list = PartitionList(Dictionary(partitions.map { ($0, timestamp) }) { first, _ in first })
        let result = rd_kafka_offsets_for_times(client.handle, list.handle, milliseconds)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(Refusal(code: result)) }
        let offsets = list.offsets()
        if offsets.values.contains(where: { $0 >= 0 }) { client.events.heardAnswer() }
        return .success(offsets)
    }

    /// `a[0], a[1], … (64 partitions)`
    private static func names(_ partitions: [TopicPartition]) -> String {
        let some = partitions.sorted().prefix(3).map(\.description).joined(separator: ", ")
        return partitions.count > 3 ? "\(some), … (\(partitions.count) partitions)" : some
    }
}

/// Where the threads that ask put what they were told.
private final class FoundAnswers<Answer: Sendable>: Sendable {
    private let found = Mutex<[TopicPartition: Answer]>([:])

    var answers: [TopicPartition: Answer] { found.withLock { $0 } }
    func add(_ answers: [TopicPartition: Answer]) { found.withLock { $0.merge(answers) { $1 } } }
}
