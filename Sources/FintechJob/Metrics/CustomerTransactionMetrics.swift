import Engine

/// Adds up each customer's transactions in tumbling windows; a row per customer and window.
struct CustomerTransactionMetrics: WindowedAggregate {
    static let name = "customer_transaction_metrics"
    static let version = 1
    static let span = EventSpan.seconds(30)

    let rows: RowWriter

    func key(of transaction: Transaction) -> ByteView? { transaction.customerID }

    func add(_ transaction: Transaction, at time: EventTime, to totals: inout CustomerTransactionTotals) {
        totals.add(transaction)
    }

    func amend(_ update: Transaction, to totals: inout CustomerTransactionTotals) { totals.move(update) }

    func close(_ window: Window, key: ByteView, record totals: inout CustomerTransactionTotals) {
        let average = Quotient.mean(cents: totals.total, of: totals.count)
        let milliseconds = window.end.milliseconds - window.start.milliseconds
        rows.begin()
        rows.text("customerId", key)
        rows.time("eventTime", window.end)
        rows.sum("totalAmount", cents: totals.total)
        rows.count("transactionCount", totals.count)
        rows.amount("averageAmount", cents: average)
        rows.amount("minAmount", cents: totals.smallest)
        rows.amount("maxAmount", cents: totals.greatest)
        rows.text("preferredTransactionType", totals.types.preferred)
        rows.text("preferredLocation", totals.locations.preferred)
        rows.text("preferredDevice", totals.devices.preferred)
        rows.number("transactionVelocity", Quotient.ratio(Int128(totals.count) * 3_600_000, Int128(milliseconds)))
        rows.number("riskScore", riskScore(totals, average: average))
        rows.textCounts("transactionTypeCounts", totals.types)
        rows.textCounts("locationCounts", totals.locations)
        rows.textCounts("deviceCounts", totals.devices)
        rows.count("recentTransactionCount", totals.count)
        rows.amount("lastTransactionAmount", cents: totals.lastAmount)
        rows.text("lastTransactionType", totals.lastType.view)
        rows.time("windowStart", window.start)
        rows.time("windowEnd", window.end)
        rows.sum("totalFees", cents: totals.fees)
        rows.count("completedCount", totals.completed)
        rows.count("failedCount", totals.failed)
        rows.count("pendingCount", totals.pending)
        rows.number("successRate", Quotient.ratio(totals.completed, of: totals.count))
        rows.count("uniqueMerchants", UInt64(totals.merchants.count))
        rows.number("averageRiskScore", Quotient.ratio(totals.risk, Int128(totals.count) * 100))
        rows.time("firstTransactionAt", totals.firstAt)
        rows.time("lastTransactionAt", totals.lastAt)
        rows.text("valueTier", ValueTier(total: totals.total).name)
        rows.end()
    }

    /// Points for what is unusual in a window, 75 at most.
    private func riskScore(_ totals: CustomerTransactionTotals, average: Int64) -> Double {
        var points = 0
        if totals.total > 100_000_00 { points += 25 }
        if totals.count > 50 { points += 15 }
        if totals.greatest > 10_000_00 { points += 20 }
        if average > 5_000_00 { points += 15 }
        return Double(points)
    }

    static let table = OutputTable(
        "customer_transaction_metrics", timeColumn: "eventTime", orderBy: ["customerId", "eventTime"], keyColumn: "customerId",
        columns: [
            OutputColumn("customerId", .text), OutputColumn("eventTime", .time), OutputColumn("totalAmount", .sum),
            OutputColumn("transactionCount", .count), OutputColumn("averageAmount", .amount),
            OutputColumn("minAmount", .amount), OutputColumn("maxAmount", .amount),
            OutputColumn("preferredTransactionType", .text), OutputColumn("preferredLocation", .text),
            OutputColumn("preferredDevice", .text), OutputColumn("transactionVelocity", .number),
            OutputColumn("riskScore", .number), OutputColumn("transactionTypeCounts", .textCounts),
            OutputColumn("locationCounts", .textCounts), OutputColumn("deviceCounts", .textCounts),
            OutputColumn("recentTransactionCount", .count), OutputColumn("lastTransactionAmount", .amount),
            OutputColumn("lastTransactionType", .text),
            // From here on new beside the system that the job replaces.
            OutputColumn("windowStart", .time), OutputColumn("windowEnd", .time), OutputColumn("totalFees", .sum),
            OutputColumn("completedCount", .count), OutputColumn("failedCount", .count), OutputColumn("pendingCount", .count),
            OutputColumn("successRate", .number), OutputColumn("uniqueMerchants", .count),
            OutputColumn("averageRiskScore", .number), OutputColumn("firstTransactionAt", .time),
            OutputColumn("lastTransactionAt", .time), OutputColumn("valueTier", .text),
        ]
    )
}
