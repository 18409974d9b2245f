/// The delivery of one table's batches to a sink with transactions that remembers the last batch in the same
/// transaction: what to do next, given what is known.
///
/// A synchronous state machine for the whole life of a sink: `deliver` gives it a batch, then the caller performs
/// `step`, says what came of it, and looks at `step` again, until that is `done` or `stop`. Its rules: a batch is sent
/// only when the sink's ledger says that the one before it is the last that landed. After everything but a success the
/// ledger is read again before anything is sent. A client that can't go on is replaced by a new one, which ends what the
/// old one left open before the ledger is read; so nothing of an earlier attempt can land after that.
package struct TransactionalDelivery: Sendable {
    /// What the caller is to do.
    package enum Step: Equatable, Sendable {
        /// Make the client ready, ending what an earlier one left open; `anew`: as a new client. Then call `performed`.
        case initialize(anew: Bool)
        /// Read the ledger, then call `ledgerRead`.
        case readLedger
        /// Begin a transaction with all rows and the ledger's new entry, then call `performed`.
        case send
        /// Commit the transaction, or ask again how the commit that is under way stands; then call `performed`.
        case commit
        /// Abort the transaction, then call `performed`.
        case abort
        /// The batch is in the sink, once.
        case done
        /// Nothing may be delivered any more.
        case stop(Stop)
    }

    package enum Stop: Equatable, Sendable {
        /// Another client took over.
        case fenced
        case mismatch(LedgerMismatch)
    }

    /// How a step ended.
    package enum Outcome: Equatable, Sendable {
        case done
        /// Unknown, or not now: the same may be asked again.
        case retry
        /// The transaction failed and has to be aborted.
        case abort
        /// The client can't be used any more; what it had under way is unknown.
        case lost
        /// Another client has taken over.
        case fenced
    }

    /// How often a step is tried in a row with one client, before a new one is made.
    package static let attemptLimit = 24

    package private(set) var step: Step
    private var batch: SinkLedger?
    /// What the sink's ledger holds; nil when that has to be found out.
    private var known: Known?
    private var attempts = 0

    private struct Known: Sendable {
        let ledger: SinkLedger?
    }

    /// Of a client that was made ready and has nothing under way, with the ledger that was read after that.
    package init(ledger: SinkLedger?) {
        known = Known(ledger: ledger)
        step = .done
    }

    /// What the sink's ledger holds, while no batch is under way and that is known; nil also when it holds nothing.
    package var knownLedger: SinkLedger? { step == .done ? known?.ledger : nil }

    /// The client was used for something else and may have been left in any state: the next delivery begins anew.
    package mutating func forget() { known = nil }

    /// Another client was found to have taken over, outside of a delivery.
    package mutating func shutOut() { step = .stop(.fenced) }

    /// Begins the delivery of a batch. One that was left unfinished before is forgotten, and its client with it; what was
    /// stopped stays so.
    package mutating func deliver(_ batch: SinkLedger) {
        if case .stop = step { return }
        let isClientFree = step == .done
        self.batch = batch
        attempts = 0
        guard isClientFree, let known else {
            self.known = nil
            step = .initialize(anew: true)
            return
        }
        judge(known.ledger, batch)
    }

    package mutating func performed(_ outcome: Outcome) {
        guard let batch else { preconditionFailure("no batch is being delivered") }
        if outcome == .fenced {
            step = .stop(.fenced)
            return
        }
        attempts = outcome == .retry ? attempts + 1 : 0
        let mayTryAgain = attempts < TransactionalDelivery.attemptLimit
        switch (step, outcome) {
        case (.initialize, .done), (.abort, .done):
            step = .readLedger
        case (.send, .done):
            known = nil
            step = .commit
        case (.commit, .done):
            known = Known(ledger: batch)
            step = .done
        case (.initialize, .retry) where mayTryAgain:
            step = .initialize(anew: false)
        case (.commit, .retry) where mayTryAgain, (.abort, .retry) where mayTryAgain:
            break
        case (.send, .retry), (.send, .abort), (.commit, .abort):
            known = nil
            step = .abort
        case (.initialize, _), (.send, _), (.commit, _), (.abort, _):
            known = nil
            attempts = 0
            step = .initialize(anew: true)
        case (.readLedger, _), (.done, _), (.stop, _):
            preconditionFailure("nothing was to be performed")
        }
    }

    /// The sink's ledger, read after the client was made ready or the transaction aborted.
    package mutating func ledgerRead(_ found: SinkLedger?) {
        guard let batch, step == .readLedger else { preconditionFailure("no ledger was to be read") }
        known = Known(ledger: found)
        judge(found, batch)
    }

    private mutating func judge(_ found: SinkLedger?, _ batch: SinkLedger) {
        let before = batch.number.number > 1 ? BatchNumber(batch.number.number - 1) : nil
        let mismatch = SinkLedger.mismatch(
            found, lineage: batch.lineage, stateIdentity: batch.stateIdentity, delivered: before, lastFrozen: batch.number
        )
        if let mismatch {
            step = .stop(.mismatch(mismatch))
        } else {
            step = found == batch ? .done : .send
        }
    }
}
