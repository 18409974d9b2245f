import Engine

/// Adds up each customer's sessions by their start in tumbling windows; a row per customer and window.
struct CustomerSessionMetrics: WindowedAggregate {
    static let name = "customer_session_metrics"
    static let version = 1
    static let span = EventSpan.minutes(5)

    let rows: RowWriter

    func key(of session: Session) -> ByteView? { session.customerID }

    func add(_ session: Session, at time: EventTime, to totals: inout CustomerSessionTotals) { totals.add(session) }

    func close(_ window: Window, key: ByteView, record totals: inout CustomerSessionTotals) {
        let durationSeconds = totals.ended == 0 ? 0 : Quotient.ratio(totals.duration, Int128(totals.ended) * 1000)
        rows.begin()
        rows.text("customerId", key)
        rows.time("eventTime", window.end)
        rows.time("windowStart", window.start)
        rows.time("windowEnd", window.end)
        rows.count("sessionCount", totals.count)
        rows.count("totalActions", UInt64(clamping: totals.actions))
        rows.number("averageActions", Quotient.ratio(totals.actions, Int128(totals.count)))
        rows.number("averageDurationSeconds", durationSeconds)
        rows.text("latestSessionId", totals.latestSessionID.view)
        rows.text("channel", totals.channel.shown)
        rows.text("deviceType", totals.deviceType.shown)
        rows.time("firstStartedAt", totals.firstAt)
        rows.time("lastStartedAt", totals.lastAt)
        rows.end()
    }

    static let table = OutputTable(
        "customer_session_metrics", timeColumn: "eventTime", orderBy: ["customerId", "eventTime"], keyColumn: "customerId",
        columns: [
            OutputColumn("customerId", .text), OutputColumn("eventTime", .time), OutputColumn("windowStart", .time),
            OutputColumn("windowEnd", .time), OutputColumn("sessionCount", .count), OutputColumn("totalActions", .count),
            OutputColumn("averageActions", .number), OutputColumn("averageDurationSeconds", .number),
            OutputColumn("latestSessionId", .text), OutputColumn("channel", .text), OutputColumn("deviceType", .text),
            OutputColumn("firstStartedAt", .time), OutputColumn("lastStartedAt", .time),
        ]
    )
}
