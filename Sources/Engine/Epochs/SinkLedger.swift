/// What a sink remembers of the last batch that it took, written in one transaction with the batch's rows.
package struct SinkLedger: Hashable, Sendable, CustomStringConvertible {
    package let lineage: Lineage
    package let number: BatchNumber
    /// Tells the state that made the batch from other states of the same job.
    package let stateIdentity: String

    package init(lineage: Lineage, number: BatchNumber, stateIdentity: String) {
        self.lineage = lineage
        self.number = number
        self.stateIdentity = stateIdentity
    }

    /// The form that is stored: `tidemark/1 lineage=1 batch=17 state=9f3a`.
    package var description: String { "\(SinkLedger.format) lineage=\(lineage) batch=\(number) state=\(stateIdentity)" }

    private static let format = "tidemark/1"

    /// Reads what `description` writes; nil when it is something else.
    package init?(_ text: String) {
        let words = text.parts(at: " ", omittingEmpty: false)
        guard words.count == 4, words[0] == SinkLedger.format,
            let lineage = SinkLedger.value("lineage", in: words[1]).flatMap({ UInt32($0) }),
            let number = SinkLedger.value("batch", in: words[2]).flatMap({ UInt64($0) }),
            let identity = SinkLedger.value("state", in: words[3])
        else { return nil }
        self.init(lineage: Lineage(lineage), number: BatchNumber(number), stateIdentity: String(identity))
    }

    private static func value(_ name: String, in word: Substring) -> Substring? {
        word.rest(after: name + "=")
    }
}

/// Why a sink's ledger does not fit the state: nothing may be delivered then (promise 4).
package enum LedgerMismatch: Equatable, Sendable {
    /// The sink remembers nothing, but batches were delivered.
    case missing(delivered: BatchNumber)
    /// The sink has a batch that the state has not made.
    case ahead(SinkLedger, lastFrozen: BatchNumber?)
    /// The sink lacks a batch that the state knows to be delivered.
    case behind(SinkLedger, delivered: BatchNumber)
    /// The batches are of another state of this job: of a lost one, or of one that goes on elsewhere.
    case otherState(SinkLedger)
    /// The job was restored and goes on elsewhere.
    case newerLineage(SinkLedger)
    /// Rows of an earlier lineage can't be taken back.
    case olderLineage(SinkLedger)
}

extension SinkLedger {
    /// What is wrong with a sink's ledger for a state that knows `delivered` to be delivered and made batches up to
    /// `lastFrozen`; nil when nothing is. `found` is nil where the sink remembers nothing.
    package static func mismatch(
        _ found: SinkLedger?, lineage: Lineage, stateIdentity: String, delivered: BatchNumber?, lastFrozen: BatchNumber?
    ) -> LedgerMismatch? {
        guard let found else { return delivered.map { .missing(delivered: $0) } }
        if found.stateIdentity != stateIdentity { return .otherState(found) }
        if found.lineage > lineage { return .newerLineage(found) }
        if found.lineage < lineage { return .olderLineage(found) }
        if found.number.number > lastFrozen?.number ?? 0 { return .ahead(found, lastFrozen: lastFrozen) }
        if let delivered, found.number < delivered { return .behind(found, delivered: delivered) }
        return nil
    }
}
