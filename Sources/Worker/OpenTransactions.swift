import Engine

/// Partitions whose reader stands before an open transaction, and since when.
struct OpenTransactions {
    private var waits: [TopicPartition: WorkerStatus.TransactionWait] = [:]

    /// In order of partitions.
    var all: [WorkerStatus.TransactionWait] { waits.values.sorted { $0.partition < $1.partition } }

    /// Where the leaders of quiet partitions say that their logs end. A transaction is another one where reading has got further.
    mutating func note(_ ends: [TopicPartition: LogEnd], now: Duration) {
        for (partition, end) in ends {
            guard end.end > end.readable else {
                waits[partition] = nil
                continue
            }
            let known = waits[partition].flatMap { $0.offset == end.readable ? $0.since : nil }
            waits[partition] = .init(partition: partition, offset: end.readable, end: end.end, since: known ?? now)
        }
    }

    /// Those that are read again wait no more.
    mutating func keep(only partitions: Set<TopicPartition>) { waits = waits.filter { partitions.contains($0.key) } }
}
