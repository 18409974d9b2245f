import Engine

/// Merges what the customers' tasks say of each merchant's windows; a row per merchant and window, in order.
struct MerchantPerformance: WindowedAggregate {
    static let name = "merchant_performance_analytics"
    static let version = 1
    static let span = EventSpan.minutes(1)

    static let stage: StageName = "merchants"
    /// How many tasks the merchants are spread over. Kept in the state from the first start on, so another number is
    /// refused there: a handful, because there are few merchants, and enough for every core of one machine.
    static let partitions = 8

    private let rows: RowWriter
    private let profiles: ReferenceTable
    private let histories: KeyedRecords<MerchantHistory>
    private var profile = Merchant()

    init(_ setup: TaskSetup) {
        rows = setup.rows(of: MerchantPerformance.table)
        profiles = setup.reference(FintechJob.ReferenceName.merchants)
        histories = setup.records("merchant_histories", version: 1)
    }

    func key(of partial: MerchantPartial) -> ByteView? { partial.merchantID }

    func add(_ partial: MerchantPartial, at time: EventTime, to totals: inout MerchantTotals) { totals.add(partial.totals) }

    mutating func close(_ window: Window, key: ByteView, record totals: inout MerchantTotals) {
        var history = MerchantHistory()
        histories.update(key) {
            $0.add(totals)
            history = $0
        }
        if !profiles.find(key, into: &profile) { profile.reset() }
        let anomaly = MerchantAnomaly(totals)
        rows.begin()
        rows.text("merchantId", key)
        rows.text("eventType", "MERCHANT_ANALYTICS")
        rows.count("transactionCount", totals.count)
        rows.sum("totalAmount", cents: totals.total)
        rows.amount("averageAmount", cents: Quotient.mean(cents: totals.total, of: totals.count))
        rows.time("eventTime", window.end)
        rows.text("performanceLevel", history.performanceLevel)
        rows.text("riskLevel", history.riskLevel)
        rows.text("merchantName", profile.name.view)
        rows.text("businessType", profile.businessType.view)
        rows.text("mccCode", profile.categoryCode.view)
        rows.text("country", profile.country.isEmpty ? ByteView(MerchantPerformance.unknownCountry) : profile.country.view)
        rows.flag("isActive", profile.isActive)
        rows.time("windowStart", window.start)
        rows.time("windowEnd", window.end)
        rows.amount("minAmount", cents: totals.smallest)
        rows.amount("maxAmount", cents: totals.greatest)
        rows.count("completedCount", totals.completed)
        rows.count("failedCount", totals.failed)
        rows.number("successRate", Quotient.ratio(totals.completed, of: totals.count))
        rows.number("averageRiskScore", Quotient.ratio(totals.risk, Int128(totals.count) * 100))
        rows.count("uniqueCustomers", totals.customers)
        rows.count("cumulativeCount", history.count)
        rows.sum("cumulativeAmount", cents: history.total)
        rows.flag("isAnomaly", anomaly != .none)
        rows.text("anomalyType", anomaly.name)
        rows.end()
    }

    private static let unknownCountry: StaticString = "UNKNOWN"

    static let table = OutputTable(
        "merchant_performance_analytics", timeColumn: "eventTime", orderBy: ["merchantId", "eventTime"], topic: "merchant_performance",
        keyColumn: "merchantId",
        columns: [
            OutputColumn("merchantId", .text), OutputColumn("eventType", .text), OutputColumn("transactionCount", .count),
            OutputColumn("totalAmount", .sum), OutputColumn("averageAmount", .amount), OutputColumn("eventTime", .time),
            OutputColumn("performanceLevel", .text), OutputColumn("riskLevel", .text), OutputColumn("merchantName", .text),
            OutputColumn("businessType", .text), OutputColumn("mccCode", .text), OutputColumn("country", .text),
            OutputColumn("isActive", .flag),
            // From here on new beside the system that the job replaces.
            OutputColumn("windowStart", .time), OutputColumn("windowEnd", .time), OutputColumn("minAmount", .amount),
            OutputColumn("maxAmount", .amount), OutputColumn("completedCount", .count), OutputColumn("failedCount", .count),
            OutputColumn("successRate", .number), OutputColumn("averageRiskScore", .number), OutputColumn("uniqueCustomers", .count),
            OutputColumn("cumulativeCount", .count), OutputColumn("cumulativeAmount", .sum), OutputColumn("isAnomaly", .flag),
            OutputColumn("anomalyType", .text),
        ]
    )
}
