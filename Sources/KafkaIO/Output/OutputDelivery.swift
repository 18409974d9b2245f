import Engine
import Logging
import Synchronization

/// Delivers one table's batches to its topic, one at a time: performs the steps that `TransactionalDelivery` asks for.
///
/// `open` once, then `deliver` from one thread at a time; `status` from any.
final class OutputDelivery {
    let status: Mutex<TableStatus>
    private let producer: any TransactionalProducer
    private let topic: String
    private let stateIdentity: String
    private let settings: KafkaOutputSettings
    private let logger: Logger
    private let limiter: LogLimiter
    private var machine: TransactionalDelivery
    private var pause: Duration
    private var hadTrouble = false
    private let table: OutboxTable
    /// When this process last wrote the ledger.
    private var ledgerWritten: ContinuousClock.Instant?

    /// Makes the producer ready, which ends what an earlier process left open and shuts that process out, and checks the
    /// ledger against the state. Throws when that does not fit, or when nobody answers within `settings.reachLimit`.
    init(_ known: SinkTable, _ producer: any TransactionalProducer, settings: KafkaOutputSettings, logger: Logger) throws {
        status = Mutex(TableStatus(table: known.outboxName))
        self.producer = producer
        table = OutboxTable(known.table, sink: KafkaOutput.name)
        topic = settings.topic(of: known.table)
        stateIdentity = known.stateIdentity
        self.settings = settings
        self.logger = logger
        limiter = LogLimiter(interval: settings.logInterval)
        pause = settings.retryPause
        // A job with another state must not be shut out before it is clear that this one fits.
        if case .found(let found) = try producer.readLedger() { try OutputDelivery.check(found, known, settings) }
        let deadline = Deadline(settings.reachLimit)
        try OutputDelivery.makeReady(producer, topic, deadline, pause)
        let ledger = try OutputDelivery.ledger(producer, deadline, pause)
        try OutputDelivery.check(ledger, known, settings)
        machine = TransactionalDelivery(ledger: ledger)
        try refreshLedger(after: .zero)
    }

    /// Writes the ledger again when that was last done so long ago: brokers forget a group's offsets after a while.
    /// An attempt that fails costs nothing but the next delivery's looking at the ledger.
    func refreshLedger(after interval: Duration) throws {
        guard let ledger = machine.knownLedger, ledgerWritten.map({ .now - $0 >= interval }) ?? true else { return }
        let answer = try OutputDelivery.write(ledger, with: producer, table: table)
        switch answer.outcome {
        case .done: ledgerWritten = .now
        case .fenced:
            lastText = answer.text
            machine.shutOut()
            throw OutputError.fenced(topic, answer.text)
        case .retry, .abort, .lost: machine.forget()
        }
    }

    /// Writes a ledger and no rows, with a producer that is ready.
    static func write(_ ledger: SinkLedger, with producer: any TransactionalProducer, table: OutboxTable) throws -> TransactionAnswer {
        let nothing = SinkBatch(
            table: table.name, lineage: ledger.lineage, number: ledger.number, layout: table.table, partition: 0, chunks: [])
        let sent = try producer.send(nothing, entry: ledger, isCancelled: { false })
        return sent.outcome == .done ? try producer.commit() : sent
    }

    /// Ends what earlier clients left open, and shuts them out.
    static func makeReady(_ producer: any TransactionalProducer, _ topic: String, _ deadline: Deadline, _ pause: Duration) throws {
        var anew = true
        while true {
            let answer = try producer.initialize(anew: anew)
            switch answer.outcome {
            case .done: return
            case .fenced: throw OutputError.fenced(topic, answer.text)
            case .retry: anew = false
            case .abort, .lost: anew = true
            }
            guard !deadline.isOver else {
                throw SourceError(
                    .retry,
                    "transactions to topic \(topic) can't be begun within \(deadline.limit): \(answer.text); see to the brokers, and to the user's right to use transactions"
                )
            }
            wait(pause)
        }
    }

    private static func ledger(_ producer: any TransactionalProducer, _ deadline: Deadline, _ pause: Duration) throws -> SinkLedger? {
        while true {
            switch try producer.readLedger() {
            case .found(let ledger): return ledger
            case .unavailable(let text):
                guard !deadline.isOver else {
                    throw SourceError(
                        .retry, "\(text), for \(deadline.limit); see to the brokers, and to the user's right to read that group")
                }
                wait(pause)
            }
        }
    }

    private static func wait(_ pause: Duration, unless isCancelled: () -> Bool = { false }) {
        let end = Deadline(pause)
        while !end.isOver && !isCancelled() { end.pauseBeforeRetry() }
    }

    /// Throws when a ledger does not fit the state.
    static func check(_ found: SinkLedger?, _ known: SinkTable, _ settings: KafkaOutputSettings) throws {
        let mismatch = SinkLedger.mismatch(
            found, lineage: known.lineage, stateIdentity: known.stateIdentity, delivered: known.lastDelivered, lastFrozen: known.lastFrozen
        )
        if let mismatch { throw OutputError.mismatch(mismatch, topic: settings.topic(of: known.table), group: settings.ledgerGroup) }
    }

    func deliver(_ batch: SinkBatch, isCancelled: () -> Bool) throws -> DeliveryOutcome {
        let entry = SinkLedger(lineage: batch.lineage, number: batch.number, stateIdentity: stateIdentity)
        pause = settings.retryPause
        machine.deliver(entry)
        do {
            while !isCancelled() {
                switch machine.step {
                case .done:
                    succeeded(batch)
                    return .delivered
                case .stop(.fenced): throw OutputError.fenced(topic, lastText)
                case .stop(.mismatch(let mismatch)): throw OutputError.mismatch(mismatch, topic: topic, group: settings.ledgerGroup)
                case .initialize, .readLedger, .send, .commit, .abort: try perform(batch, entry, isCancelled)
                }
            }
            return .cancelled
        } catch {
            trouble(.stopped, (error as? SourceError)?.message ?? "\(error)")
            throw error
        }
    }

    private var lastText = ""

    private func perform(_ batch: SinkBatch, _ entry: SinkLedger, _ isCancelled: () -> Bool) throws {
        let answer: TransactionAnswer
        let (what, state): (String, TableStatus.State)
        switch machine.step {
        case .initialize(let anew):
            (what, state) = ("begins anew", .waiting)
            answer = try producer.initialize(anew: anew)
        case .readLedger:
            switch try producer.readLedger() {
            case .found(let ledger): return machine.ledgerRead(ledger)
            case .unavailable(let text): return troubled(.unknown, "batch \(batch.number): \(text)", isCancelled)
            }
        case .send:
            (what, state) = ("can't be sent", .waiting)
            status.withLock {
                $0.state = .sending
                $0.insertsSent += 1
            }
            answer = try producer.send(batch, entry: entry, isCancelled: isCancelled)
        case .commit:
            (what, state) = ("is not known to be committed", .unknown)
            answer = try producer.commit()
        case .abort:
            (what, state) = ("is being aborted", .waiting)
            answer = try producer.abort()
        case .done, .stop: return
        }
        lastText = answer.text
        machine.performed(answer.outcome)
        if answer.outcome != .done && answer.outcome != .fenced {
            troubled(state, "batch \(batch.number) to \(topic) \(what): \(answer.text)", isCancelled)
        }
    }

    private func succeeded(_ batch: SinkBatch) {
        status.withLock {
            $0.state = .idle
            $0.batchesDelivered += 1
            $0.rowsDelivered += UInt64(batch.rowCount)
            $0.lastBatch = batch.number.number
        }
        ledgerWritten = .now
        if hadTrouble { logger.notice("\(topic): delivering again") }
        hadTrouble = false
    }

    /// Tells of the trouble and waits before the next step, longer each time.
    private func troubled(_ state: TableStatus.State, _ text: String, _ isCancelled: () -> Bool) {
        trouble(state, text)
        OutputDelivery.wait(pause, unless: isCancelled)
        pause = min(pause * 2, settings.retryPauseLimit)
    }

    private func trouble(_ state: TableStatus.State, _ text: String) {
        hadTrouble = true
        status.withLock {
            $0.state = state
            $0.lastError = text
        }
        guard let leftOut = limiter.admit(state.rawValue) else { return }
        let more = leftOut > 0 ? " (and \(leftOut) more like it)" : ""
        if state == .stopped { logger.error("\(text)\(more)") } else { logger.warning("\(text)\(more)") }
    }
}
