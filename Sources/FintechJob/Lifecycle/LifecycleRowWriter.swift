import Engine

/// Writes the rows of `customer_lifecycle_analytics`.
struct LifecycleRowWriter {
    private let rows: RowWriter

    init(_ rows: RowWriter) { self.rows = rows }

    /// `standing` is the customer's after the event, but for what it says of the previous row.
    func write(
        _ event: LifecycleEvent, _ step: LifecycleStep, _ standing: borrowing CustomerStanding, _ profile: borrowing Customer,
        _ session: borrowing LatestSession
    ) {
        let isFirst = standing.rowTime == .distantFuture
        let (tier, status) = (standing.tier, standing.status)
        rows.begin()
        rows.text("customerId", step.customer)
        rows.text("eventType", event.name)
        rows.text("currentTier", tier.name)
        rows.text("currentKycStatus", status.name)
        rows.time("eventTime", step.time)
        rows.count("tierChangeCount", standing.tierChanges)
        rows.flag("isUpgrade", event == .tierUpgrade)
        rows.flag("isDowngrade", event == .tierDowngrade)
        rows.flag("kycCompleted", event == .kycCompleted)
        rows.number("riskScore", Double(profile.risk) / 100)
        rows.count(
            "timeSinceLastUpdate", isFirst ? 0 : UInt64(clamping: Int128(step.time.milliseconds) - Int128(standing.rowTime.milliseconds)))
        rows.text("previousTier", (step.previousTier ?? tier).name)
        rows.text("previousKycStatus", (step.previousStatus ?? status).name)
        rows.number("riskScoreChange", isFirst ? 0 : Double(profile.risk - standing.rowRisk) / 100)
        rows.count("transactionCount", standing.count)
        rows.sum("totalAmount", cents: standing.total)
        rows.amount("averageAmount", cents: Quotient.mean(cents: standing.total, of: standing.count))
        rows.text("segment", ValueTier(total: standing.total).name)
        rows.text("profileTier", profile.tier.shown)
        rows.text("channel", session.channel.shown)
        rows.text("deviceType", session.deviceType.shown)
        rows.end()
    }

    static let table = OutputTable(
        "customer_lifecycle_analytics", timeColumn: "eventTime", orderBy: ["customerId", "eventTime", "eventType"],
        topic: "customer_lifecycle", keyColumn: "customerId",
        columns: [
            OutputColumn("customerId", .text), OutputColumn("eventType", .text), OutputColumn("currentTier", .text),
            OutputColumn("currentKycStatus", .text), OutputColumn("eventTime", .time), OutputColumn("tierChangeCount", .count),
            OutputColumn("isUpgrade", .flag), OutputColumn("isDowngrade", .flag), OutputColumn("kycCompleted", .flag),
            OutputColumn("riskScore", .number), OutputColumn("timeSinceLastUpdate", .count),
            OutputColumn("previousTier", .text), OutputColumn("previousKycStatus", .text),
            OutputColumn("riskScoreChange", .number),
            // From here on new beside the system that the job replaces.
            OutputColumn("transactionCount", .count), OutputColumn("totalAmount", .sum), OutputColumn("averageAmount", .amount),
            OutputColumn("segment", .text), OutputColumn("profileTier", .text), OutputColumn("channel", .text),
            OutputColumn("deviceType", .text),
        ]
    )
}
