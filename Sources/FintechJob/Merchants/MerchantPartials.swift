import Engine

/// Adds up each merchant's transactions among the customers of one task, in tumbling windows, and sends each window's
/// totals to the merchant's own task when it closes.
struct MerchantPartials: WindowedAggregate {
    static let name = "merchant_partials"
    static let version = 1
    /// The merchants' tasks put together what the customers' tasks know.
    static let placement = StatePlacement.stays

    private let messages: MessageWriter
    /// By merchant and window.
    private let customers: WindowedSet

    init(_ setup: TaskSetup) {
        messages = setup.messages(to: MerchantPerformance.stage, layout: MerchantPartial.layout)
        customers = setup.windowedSet("merchant_customers", version: 1, span: MerchantPerformance.span)
    }

    func key(of transaction: Transaction) -> ByteView? { transaction.merchantID.isNull ? nil : transaction.merchantID }

    func add(_ transaction: Transaction, at time: EventTime, to totals: inout MerchantTotals) {
        totals.add(transaction, isNewCustomer: customers.insert(transaction.customerID, in: transaction.merchantID, at: time))
    }

    func amend(_ update: Transaction, to totals: inout MerchantTotals) { totals.move(update) }

    func close(_ window: Window, key: ByteView, record totals: inout MerchantTotals) {
        MerchantPartial(merchantID: key, windowStart: window.start, totals: totals).send(to: messages)
    }
}
