import Engine

/// What traffic to make. The same options give the same bytes, on every machine and in every version that says so in
/// its change log.
package struct TrafficOptions: Sendable {
    /// How many transactions; sessions and reference data come on top.
    package var transactions: Int
    /// Transactions for each second of event time.
    package var rate = 1000
    package var customers = 10_000
    package var merchants = 500
    package var seed: UInt64 = 1
    /// The event time of the first transaction; 2025-01-15 12:00:00 UTC unless said.
    package var start = EventTime(milliseconds: 1_736_942_400_000)

    package init(transactions: Int) { self.transactions = transactions }

    /// How far behind the greatest `created_at` so far a transaction may be: within the default out-of-orderness of
    /// 5 s, so that none is late.
    package static let outOfOrderness = EventSpan.seconds(4)
    /// One session for so many transactions.
    static let transactionsPerSession = 50

    /// When transaction `number` is due; `created_at` is this or a little earlier.
    package func dueTime(of number: Int) -> EventTime {
        EventTime(milliseconds: start.milliseconds + Int64(number) * 1000 / Int64(rate))
    }
}

/// The topics that traffic consists of, named without their prefix.
package enum TrafficTopic: String, CaseIterable, Sendable {
    case customers, accounts, merchants
    case sessions = "customer_sessions"
    case transactions

    /// A stream is keyed by `customer_id` and may have many partitions; a reference table is keyed by `id`.
    package var isStream: Bool { self == .sessions || self == .transactions }
}
