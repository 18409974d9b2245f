import Engine

/// One table's way into Kafka: a producer with transactions, and the ledger that is written in them.
///
/// An implementor guarantees: what `send` hands over becomes visible to read_committed consumers, together with the
/// ledger's entry, when the transaction is committed, or never; once `initialize` answered `done`, nothing that an
/// earlier client of the same table had under way can become visible any more, and `readLedger` tells what did. Methods
/// block for a bounded time. Used by one thread at a time. They throw what no trying again mends.
protocol TransactionalProducer: AnyObject {
    /// Makes the client ready for a transaction, a new client when `anew`.
    func initialize(anew: Bool) throws -> TransactionAnswer
    /// What the ledger holds; may be called before `initialize`, but what it says is final only after that.
    func readLedger() throws -> LedgerAnswer
    /// Begins a transaction and hands over all rows of the batch in their order, and the ledger's entry. A batch without
    /// rows writes only the entry.
    func send(_ batch: SinkBatch, entry: SinkLedger, isCancelled: () -> Bool) throws -> TransactionAnswer
    func commit() throws -> TransactionAnswer
    func abort() throws -> TransactionAnswer
}

/// How a call ended, and what the client said about it.
struct TransactionAnswer: Sendable {
    let outcome: TransactionalDelivery.Outcome
    let text: String

    static let done = TransactionAnswer(outcome: .done, text: "")
}

enum LedgerAnswer: Sendable {
    case found(SinkLedger?)
    /// Nobody answered in time, or a transaction is still being ended.
    case unavailable(String)
}
