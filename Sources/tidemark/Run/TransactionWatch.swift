import Engine
import Worker

/// Finds partitions whose records have waited behind an open transaction for long; each transaction is told of once.
struct TransactionWatch {
    private var told: [TopicPartition: Int64] = [:]

    /// Transactions of healthy producers take less.
    static let longest = Duration.seconds(60)

    mutating func warnings(_ waits: [WorkerStatus.TransactionWait]) -> [String] {
        let long = waits.filter { $0.waited >= TransactionWatch.longest }
        defer { told = Dictionary(uniqueKeysWithValues: long.map { ($0.partition, $0.offset) }) }
        return long.filter { told[$0.partition] != $0.offset }.map { wait in
            "\(wait.partition) can't be read from offset \(wait.offset) on, to \(wait.end) so far: a producer has kept a transaction open there for over \(TransactionWatch.longest.components.seconds) s. Nothing is lost, and windows wait for it; see to that producer. Kafka ends a transaction by itself after its transaction.timeout.ms, a hanging one is found and ended by `kafka-transactions.sh find-hanging` and `abort`"
        }
    }
}
