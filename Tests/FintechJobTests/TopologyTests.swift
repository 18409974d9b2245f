import Engine
import FintechJob
import Testing
import TestSupport

@Suite("What the job stores and writes keeps its names")
struct TopologyTests {
    private let topology = FintechJob.topology(settings: FintechSettings())

    /// Stored under version 1: a change here is a new version of the table, with a migration.
    @Test func stateTablesKeepTheirFields() {
        let schemas = topology.stages.flatMap(\.blueprint.schemas).map { schema in
            "\(schema.table) \(schema.version) \(schema.key.rawValue): " + schema.fields.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ")
        }
        #expect(schemas == [
            "customer_transaction_metrics 1 windowAndKey: count unsigned, total signed128, fees signed128, smallest signed, greatest signed, risk signed128, completed unsigned, failed unsigned, pending unsigned, firstAt time, lastAt time, lastAmount signed, lastType text, types textCounts, locations textCounts, devices textCounts, merchants textSet",
            "merchant_partials 1 windowAndKey: count unsigned, total signed128, smallest signed, greatest signed, risk signed128, completed unsigned, failed unsigned, customers unsigned",
            "merchant_customers 1 windowAndKey: isMember bool",
            "customer_session_metrics 1 windowAndKey: count unsigned, actions signed128, ended unsigned, duration signed128, firstAt time, lastAt time, latestID text, latestSessionID text, channel text, deviceType text",
            "merchant_performance_analytics 1 windowAndKey: count unsigned, total signed128, smallest signed, greatest signed, risk signed128, completed unsigned, failed unsigned, customers unsigned",
            "merchant_histories 1 key: count unsigned, total signed128",
        ])
    }

    @Test func tablesKeepTheirColumnsInOrder() {
        let tables = topology.tables.map { table in
            "\(table.name) by \(table.timeColumn), \(table.orderBy): " + table.columns.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ")
        }
        #expect(tables.dropFirst() == [
            #"customer_transaction_metrics by eventTime, ["customerId", "eventTime"]: customerId text, eventTime time, totalAmount sum, transactionCount count, averageAmount amount, minAmount amount, maxAmount amount, preferredTransactionType text, preferredLocation text, preferredDevice text, transactionVelocity number, riskScore number, transactionTypeCounts textCounts, locationCounts textCounts, deviceCounts textCounts, recentTransactionCount count, lastTransactionAmount amount, lastTransactionType text, windowStart time, windowEnd time, totalFees sum, completedCount count, failedCount count, pendingCount count, successRate number, uniqueMerchants count, averageRiskScore number, firstTransactionAt time, lastTransactionAt time, valueTier text"#,
            #"customer_session_metrics by eventTime, ["customerId", "eventTime"]: customerId text, eventTime time, windowStart time, windowEnd time, sessionCount count, totalActions count, averageActions number, averageDurationSeconds number, latestSessionId text, channel text, deviceType text, firstStartedAt time, lastStartedAt time"#,
            #"merchant_performance_analytics by eventTime, ["merchantId", "eventTime"]: merchantId text, eventType text, transactionCount count, totalAmount sum, averageAmount amount, eventTime time, performanceLevel text, riskLevel text, merchantName text, businessType text, mccCode text, country text, isActive flag, windowStart time, windowEnd time, minAmount amount, maxAmount amount, completedCount count, failedCount count, successRate number, averageRiskScore number, uniqueCustomers count, cumulativeCount count, cumulativeAmount sum, isAnomaly flag, anomalyType text"#,
        ])
    }

    @Test func settingsReachTheStages() throws {
        var settings = FintechSettings()
        settings.topicPrefix = "bank."
        settings.outOfOrderness = .seconds(60)
        #expect(FintechJob.topology(settings: settings).stages.map(\.input) == [.topic("bank.transactions"), .topic("bank.customer_sessions"), .messages(partitions: 8)])
        let outOfOrder = [0, 89_999, 29_999].map { JobRun.transaction(at: $0) }
        #expect(try JobRun.rows(of: "rejected_records", transactions: outOfOrder, settings: settings).isEmpty)
        #expect(try JobRun.rows(of: "rejected_records", transactions: outOfOrder).map { $0.columns["reason"] } == [.text("late")])
    }

    @Test func rejectedRecordsSayWhereAndWhatTheyWere() throws {
        let long = "{" + String(repeating: " ", count: 70_000)
        let rows = try JobRun.rows(of: "rejected_records", transactions: [JobRun.transaction(), "{}", long], sessions: ["[]"])
        #expect(rows.map { $0.columns["offset"] } == [.number(1), .number(2), .number(0)])
        #expect(rows.map { $0.columns["reason"] } == ["missing_field:id", "malformed_json", "malformed_json"].map { .text($0) })
        #expect(rows.map { $0.columns["topic"] } == ["transactions", "transactions", "customer_sessions"].map { .text("fintech.public.\($0)") })
        #expect(rows[0].columns["payload"] == .text("{}"))
        #expect(rows[1].columns["payload"] == .text(String(long.prefix(65_536))))
        #expect(rows[0].columns["rejectedAt"] == .number(0), "directory input has no timestamps")
    }
}
