import Engine

/// Lets through the changes of status that move a count: those of transactions that are counted in an open window, with the status
/// that they had before. So each moves at most once, whatever is sent again.
final class StatusFollowing: AmendmentFilter {
    /// The longest of the windows that have counts by status; the others divide it.
    static let span = MerchantPerformance.span

    private let counted: WindowedRecords<CountedStatus>
    private var key = ByteWriter()

    init(_ setup: TaskSetup) {
        // Every task that may get a transaction's update has to know how it is counted.
        counted = setup.windowedRecords("transaction_statuses", version: 1, span: StatusFollowing.span, placement: .copied)
    }

    func note(_ transaction: Transaction, at time: EventTime, watermark: EventTime) {
        guard Window(containing: time, span: StatusFollowing.span).end > watermark else { return }
        write(transaction)
        counted.update(key.view, at: time) { $0 = CountedStatus(transaction) }
    }

    func refusal(of update: Transaction, at time: EventTime, watermark: EventTime) -> StaticString? {
        guard Window(containing: time, span: StatusFollowing.span).end > watermark else { return AmendmentRefusal.late }
        write(update)
        var refusal: StaticString? = "unmatched_update"
        counted.amend(key.view, at: time) { record in
            refusal = update.statusBefore.flatMap { record.follow(from: $0, to: update.status, at: update.logPosition) }
        }
        return refusal
    }

    /// The transaction, with what it is counted by.
    private func write(_ transaction: Transaction) {
        key.removeAll()
        key.write(text: transaction.id)
        key.write(text: transaction.customerID)
        key.write(zigzag: transaction.createdAt.milliseconds)
        key.write(raw: transaction.merchantID)
    }
}
