import Engine

/// Makes a bank's traffic: first the reference tables, then transactions and sessions as they happen.
///
/// `created_at` grows at the options' rate, now and then a little out of order, never by more than
/// `TrafficOptions.outOfOrderness`; `started_at` of sessions likewise.
package struct TrafficGenerator: ~Copyable {
    /// What is made: a topic, the record's key (raw text) and its value. The bytes are valid only inside the call.
    package typealias Output = (TrafficTopic, _ key: ByteView, _ value: ByteView) throws -> Void

    package let options: TrafficOptions
    /// How many transactions were made so far.
    package private(set) var transactionCount = 0

    private let population: Population
    private var random: TrafficRandom
    private var key = ByteWriter(capacity: 64)
    private var row = ByteWriter(capacity: 2048)

    package init(_ options: TrafficOptions) {
        precondition(options.transactions >= 0, "a number of transactions can't be negative")
        precondition(options.rate > 0 && options.customers > 0 && options.merchants > 0, "traffic needs a rate, customers and merchants")
        self.options = options
        population = Population(seed: TrafficRandom.mix(options.seed), customers: options.customers, merchants: options.merchants)
        random = TrafficRandom(seed: TrafficRandom.mix(options.seed &+ 1))
    }

    package var isAtEnd: Bool { transactionCount >= options.transactions }

    /// Customers, accounts and merchants, keyed by their id.
    package mutating func makeReferenceData(_ output: Output) rethrows {
        let records = ReferenceRecords(population: population, updatedAt: options.start - .seconds(1))
        for index in 0..<options.customers {
            records.writeCustomer(index, into: &row)
            try emit(.customers, keyedBy: population.bits(.customer, index), output)
        }
        for index in 0..<options.customers {
            records.writeAccount(index, into: &row)
            try emit(.accounts, keyedBy: population.bits(.account, index), output)
        }
        for index in 0..<options.merchants {
            records.writeMerchant(index, into: &row)
            try emit(.merchants, keyedBy: population.bits(.merchant, index), output)
        }
    }

    /// The next transactions, at most `limit`, and the sessions between them, keyed by their customer.
    package mutating func makeTraffic(atMost limit: Int, _ output: Output) rethrows {
        let transactions = TransactionRecords(population: population)
        let sessions = SessionRecords(population: population)
        let end = min(options.transactions, transactionCount + limit)
        while transactionCount < end {
            let due = options.dueTime(of: transactionCount)
            if transactionCount % TrafficOptions.transactionsPerSession == 0 {
                let customer = random.skewed(below: options.customers)
                sessions.write(ofCustomer: customer, startedAt: disordered(due), random: &random, into: &row)
                try emit(.sessions, keyedBy: population.bits(.customer, customer), output)
            }
            let customer = random.skewed(below: options.customers)
            transactions.write(ofCustomer: customer, createdAt: disordered(due), random: &random, into: &row)
            try emit(.transactions, keyedBy: population.bits(.customer, customer), output)
            transactionCount += 1
        }
    }

    /// One in four a little earlier than it was due.
    private mutating func disordered(_ due: EventTime) -> EventTime {
        guard random.chance(25) else { return due }
        let behind = random.below(Int(TrafficOptions.outOfOrderness.milliseconds))
        return max(options.start, EventTime(milliseconds: due.milliseconds - Int64(behind)))
    }

    private mutating func emit(_ topic: TrafficTopic, keyedBy bits: (UInt64, UInt64), _ output: Output) rethrows {
        key.removeAll()
        key.write(uuid: bits)
        defer { row.removeAll() }
        try output(topic, key.view, row.view)
    }
}
