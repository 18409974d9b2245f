import CRdKafka
import Engine
import Synchronization

/// Commits the durable positions to the consumer group, for lag tools: now and then, asynchronously, never failing.
final class LagReporter: Sendable {
    private struct Pending {
        var positions: [TopicPartition: Int64] = [:]
        var nextCommit = ContinuousClock.now
    }

    private let client: KafkaClient
    private let interval: Duration
    private let pending = Mutex(Pending())

    init(client: KafkaClient, interval: Duration) {
        self.client = client
        self.interval = interval
    }

    /// Keeps the newest positions, and commits them unless that was done a moment ago.
    func report(_ positions: [TopicPartition: Int64], at now: ContinuousClock.Instant = .now) {
        let due: [TopicPartition: Int64] = pending.withLock { pending in
            pending.positions.merge(positions) { $1 }
            guard now >= pending.nextCommit, !pending.positions.isEmpty else { return [:] }
            pending.nextCommit = now + interval
            defer { pending.positions = [:] }
            return pending.positions
        }
        client.serveCallbacks()
        if !due.isEmpty { commit(due) }
    }

    /// Hands what was not committed yet to librdkafka, which sends it before the client is closed if it can.
    func finish() {
        let rest = pending.withLock { pending in
            defer { pending.positions = [:] }
            return pending.positions
        }
        if !rest.isEmpty { commit(rest) }
    }

    private func commit(_ positions: [TopicPartition: Int64]) {
        let list = PartitionList(positions)
        let code = rd_kafka_commit(client.handle, list.handle, 1)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { client.events.heardCommit(code) }
    }
}
