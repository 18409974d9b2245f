import Engine

@testable import KafkaIO

/// A broker with transactions as far as one topic's delivery sees it, which goes on whatever becomes of its clients.
final class ScriptedBroker {
    /// What befalls one call of a client.
    enum Fault: CaseIterable {
        case none
        /// Nothing happens, and the client may ask again.
        case refusedForNow
        /// It happens, but the client only hears that it may ask again.
        case happensUnheard
        /// The transaction has failed.
        case abortable
        /// Nothing happens, and the client is of no use any more.
        case clientLost
        /// It happens (a commit: it is decided, and done once somebody waits for it), and the client is of no use any more.
        case clientLostAfter
        /// The process dies before the call, or after what it does.
        case crashBefore, crashAfter
    }

    private struct Transaction {
        /// nil: only the ledger is written.
        let batch: BatchNumber?
        let entry: SinkLedger
        /// The coordinator has decided to commit.
        var isDecided = false
    }

    /// The batches that read_committed consumers see, in order.
    private(set) var visible: [BatchNumber] = []
    var ledger: SinkLedger?
    private var open: Transaction?
    /// Counted up with every client that was made ready: only the newest may write.
    private var epoch = 0

    fileprivate func begin() -> Int {
        if let open, open.isDecided { commit() }
        open = nil
        epoch += 1
        return epoch
    }

    fileprivate func isCurrent(_ client: Int) -> Bool { client == epoch }

    fileprivate func write(_ batch: BatchNumber?, _ entry: SinkLedger) { open = Transaction(batch: batch, entry: entry) }
    fileprivate func decide() { open?.isDecided = true }
    fileprivate func discard() { open = nil }

    fileprivate func commit() {
        guard let open else { return }
        if let batch = open.batch { visible.append(batch) }
        ledger = open.entry
        self.open = nil
    }
}

struct Crash: Error {}

/// A client of the scripted broker; its calls meet the script's faults one after the other, then none.
final class ScriptedProducer: TransactionalProducer {
    let broker: ScriptedBroker
    private var script: [ScriptedBroker.Fault]
    private var epoch: Int?
    private var isInTransaction = false
    private var mustAbort = false
    private var isLost = true
    private(set) var calls: [String] = []

    init(_ broker: ScriptedBroker, script: [ScriptedBroker.Fault] = []) {
        self.broker = broker
        self.script = script
    }

    var restOfScript: [ScriptedBroker.Fault] { script }

    private func perform(_ call: String, _ effect: () -> Void, decide: () -> Void = {}) throws -> TransactionAnswer {
        calls.append(call)
        func answer(_ outcome: TransactionalDelivery.Outcome) -> TransactionAnswer {
            TransactionAnswer(outcome: outcome, text: "\(call): \(outcome)")
        }
        guard !isLost else { return answer(.lost) }
        if let epoch, call != "initialize", !broker.isCurrent(epoch) { return answer(.fenced) }
        switch script.isEmpty ? .none : script.removeFirst() {
        case .none:
            effect()
            return answer(.done)
        case .refusedForNow: return answer(.retry)
        case .happensUnheard:
            effect()
            return answer(.retry)
        case .abortable:
            guard call == "send" || call == "commit" else { return answer(.retry) }
            mustAbort = true
            return answer(.abort)
        case .clientLost:
            isLost = true
            return answer(.lost)
        case .clientLostAfter:
            if call == "commit" { decide() } else { effect() }
            isLost = true
            return answer(.lost)
        case .crashBefore: throw Crash()
        case .crashAfter:
            if call == "commit" { decide() } else { effect() }
            throw Crash()
        }
    }

    func initialize(anew: Bool) throws -> TransactionAnswer {
        if anew { (isLost, epoch, isInTransaction, mustAbort) = (false, nil, false, false) }
        return try perform("initialize", { if epoch == nil { epoch = broker.begin() } })
    }

    func readLedger() throws -> LedgerAnswer {
        calls.append("readLedger")
        switch script.isEmpty ? .none : script.removeFirst() {
        case .none, .abortable: return .found(broker.ledger)
        case .refusedForNow, .happensUnheard, .clientLost, .clientLostAfter: return .unavailable("nobody answers")
        case .crashBefore, .crashAfter: throw Crash()
        }
    }

    func send(_ batch: SinkBatch, entry: SinkLedger, isCancelled: () -> Bool) throws -> TransactionAnswer {
        guard !isInTransaction else { return TransactionAnswer(outcome: .lost, text: "a transaction is under way") }
        isInTransaction = true
        return try perform("send", { broker.write(batch.rowCount > 0 ? batch.number : nil, entry) })
    }

    func commit() throws -> TransactionAnswer {
        guard isInTransaction, !mustAbort else { return TransactionAnswer(outcome: .lost, text: "nothing to commit") }
        let answer = try perform("commit", { broker.commit() }, decide: { broker.decide() })
        if answer.outcome == .done { isInTransaction = false }
        return answer
    }

    func abort() throws -> TransactionAnswer {
        let answer = try perform("abort", { broker.discard() })
        if answer.outcome == .done { (isInTransaction, mustAbort) = (false, false) }
        return answer
    }
}
