import Engine
import FintechJob
import TestSupport
import Testing

@Suite("What the job stores and writes keeps its names")
struct TopologyTests {
    private let topology = FintechJob.topology(settings: FintechSettings.ofInserts)

    /// Stored under version 1: a change here is a new version of the table, with a migration.
    @Test func stateTablesKeepTheirFields() {
        let schemas = topology.stages.flatMap(\.blueprint.schemas).map { schema in
            "\(schema.table) \(schema.version) \(schema.key.rawValue): "
                + schema.fields.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ")
        }
        #expect(
            schemas == [
                "customer_transaction_metrics 1 windowAndKey: count unsigned, total signed128, fees signed128, smallest signed, greatest signed, risk signed128, completed unsigned, failed unsigned, pending unsigned, firstAt time, lastAt time, lastAmount signed, lastType text, types textCounts, locations textCounts, devices textCounts, merchants textSet",
                "fraud_detection_alerts 1 key: times recentNumbers, amounts recentNumbers, hours bucketSums, countries lastSeenTexts, devices lastSeenTexts",
                "customer_lifecycle_analytics 1 key: count unsigned, total signed128, amounts recentNumbers, tier unsigned, kycStatus unsigned, tierChanges unsigned, reportedSession text, channel text, isChurned bool, rowTime time, rowRisk signed",
                "merchant_partials 1 windowAndKey: count unsigned, total signed128, smallest signed, greatest signed, risk signed128, completed unsigned, failed unsigned, customers unsigned",
                "transaction_decimals 1 key: hasBase64 bool",
                "transaction_statuses 1 windowAndKey: status unsigned, logPosition unsigned",
                "merchant_customers 1 windowAndKey: isMember bool", "transaction_ids 1 windowAndKey: hashes text",
                "customer_places 2 key: partition signed, partitions unsigned",
                "customer_session_metrics 1 windowAndKey: count unsigned, actions signed128, ended unsigned, duration signed128, firstAt time, lastAt time, latestID text, latestSessionID text, channel text, deviceType text",
                "session_ids 1 windowAndKey: hashes text",
                "session_places 2 key: partition signed, partitions unsigned",
                "merchant_performance_analytics 1 windowAndKey: count unsigned, total signed128, smallest signed, greatest signed, risk signed128, completed unsigned, failed unsigned, customers unsigned",
                "merchant_histories 1 key: count unsigned, total signed128",
            ])
    }

    /// Of a re-keyed job the same tables lie in other stages.
    @Test func aRekeyedJobKeepsItsStages() {
        var settings = FintechSettings.ofInserts
        settings.keyedBy = .id
        let rekeyed = FintechJob.topology(settings: settings)
        #expect(
            rekeyed.stages.map { "\($0.name) \($0.input): \($0.blueprint.schemas.map(\.table)), to \($0.blueprint.sendsTo)" } == [
                #"transactions topic("fintech.public.transactions"): ["transaction_decimals", "transaction_ids"], to [customers]"#,
                #"customers messages(partitions: 8): ["customer_transaction_metrics", "fraud_detection_alerts", "customer_lifecycle_analytics", "merchant_partials", "transaction_statuses", "merchant_customers"], to [merchants]"#,
                #"sessions topic("fintech.public.customer_sessions"): ["session_ids"], to [session_customers]"#,
                #"session_customers messages(partitions: 8): ["customer_session_metrics"], to []"#,
                #"merchants messages(partitions: 8): ["merchant_performance_analytics", "merchant_histories"], to []"#,
            ])
        let schemas = topology.stages.flatMap(\.blueprint.schemas)
        #expect(rekeyed.stages.flatMap(\.blueprint.schemas).allSatisfy(schemas.contains))
        #expect(
            [topology, rekeyed].map(\.fixedSettings)
                == ["customer_id", "id"].map {
                    ["input.keyedBy": $0, "input.sessions.keyedBy": $0, "input.sessionsWhenEnded": "false"]
                })
    }

    @Test func tablesKeepTheirColumnsInOrder() {
        let tables = topology.tables.map { table in
            "\(table.name) by \(table.timeColumn), \(table.orderBy): "
                + table.columns.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ")
        }
        #expect(
            tables.dropFirst() == [
                #"customer_transaction_metrics by eventTime, ["customerId", "eventTime"]: customerId text, eventTime time, totalAmount sum, transactionCount count, averageAmount amount, minAmount amount, maxAmount amount, preferredTransactionType text, preferredLocation text, preferredDevice text, transactionVelocity number, riskScore number, transactionTypeCounts textCounts, locationCounts textCounts, deviceCounts textCounts, recentTransactionCount count, lastTransactionAmount amount, lastTransactionType text, windowStart time, windowEnd time, totalFees sum, completedCount count, failedCount count, pendingCount count, successRate number, uniqueMerchants count, averageRiskScore number, firstTransactionAt time, lastTransactionAt time, valueTier text"#,
                #"fraud_detection_alerts by detectionTime, ["customerId", "detectionTime"]: transactionId text, customerId text, fraudTypes texts, riskScore number, detectionTime time, alertType text, fraudDetails text, isFraudulent flag, severity text, recommendation text, amount amount, accountId text"#,
                #"customer_lifecycle_analytics by eventTime, ["customerId", "eventTime", "eventType"]: customerId text, eventType text, currentTier text, currentKycStatus text, eventTime time, tierChangeCount count, isUpgrade flag, isDowngrade flag, kycCompleted flag, riskScore number, timeSinceLastUpdate count, previousTier text, previousKycStatus text, riskScoreChange number, transactionCount count, totalAmount sum, averageAmount amount, segment text, profileTier text, channel text, deviceType text"#,
                #"customer_session_metrics by eventTime, ["customerId", "eventTime"]: customerId text, eventTime time, windowStart time, windowEnd time, sessionCount count, totalActions count, averageActions number, averageDurationSeconds number, latestSessionId text, channel text, deviceType text, firstStartedAt time, lastStartedAt time"#,
                #"merchant_performance_analytics by eventTime, ["merchantId", "eventTime"]: merchantId text, eventType text, transactionCount count, totalAmount sum, averageAmount amount, eventTime time, performanceLevel text, riskLevel text, merchantName text, businessType text, mccCode text, country text, isActive flag, windowStart time, windowEnd time, minAmount amount, maxAmount amount, completedCount count, failedCount count, successRate number, averageRiskScore number, uniqueCustomers count, cumulativeCount count, cumulativeAmount sum, isAnomaly flag, anomalyType text"#,
            ])
    }

    /// Stored too: another shape is read anew from the topic, under a new version.
    @Test func referenceTablesKeepTheirFields() {
        let schemas = topology.references.map { reference in
            "\(reference.name) of \(reference.topic) \(reference.schema.version): "
                + reference.schema.fields.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: ", ")
        }
        #expect(
            schemas == [
                "customers of fintech.public.customers 1: kycStatus text, tier text, risk signed",
                "accounts of fintech.public.accounts 2: isFrozen bool, isActive bool, minimumBalance signed, balance signed, unusable unsigned",
                "merchants of fintech.public.merchants 1: name text, businessType text, categoryCode text, country text, isActive bool",
                "sessions of fintech.public.customer_sessions 1: id text, startedAt time, channel text, deviceType text, actions unsigned",
            ])
    }

    @Test func settingsReachTheStages() throws {
        var settings = FintechSettings.ofInserts
        settings.topicPrefix = "bank."
        settings.outOfOrderness = .seconds(60)
        #expect(
            FintechJob.topology(settings: settings).stages.map(\.input) == [
                .topic("bank.transactions"), .messages(partitions: 1), .topic("bank.customer_sessions"), .messages(partitions: 1),
                .messages(partitions: 8),
            ])
        let outOfOrder = [0, 89_999, 29_999].map { JobRun.transaction(at: $0) }
        #expect(try JobRun.rows(of: "rejected_records", transactions: outOfOrder, settings: settings).isEmpty)
        #expect(try JobRun.rows(of: "rejected_records", transactions: outOfOrder).map { $0.columns["reason"] } == [.text("late")])
    }

    @Test func rejectedRecordsSayWhereAndWhatTheyWere() throws {
        let long = "{" + String(repeating: " ", count: 70_000)
        let rows = try JobRun.rows(of: "rejected_records", transactions: [JobRun.transaction(), "{}", long], sessions: ["[]"])
        #expect(rows.map { $0.columns["offset"] } == [.number(1), .number(2), .number(0)])
        #expect(rows.map { $0.columns["reason"] } == ["missing_field:id", "malformed_json", "malformed_json"].map { .text($0) })
        #expect(
            rows.map { $0.columns["topic"] } == ["transactions", "transactions", "customer_sessions"].map { .text("fintech.public.\($0)") })
        #expect(rows[0].columns["payload"] == .text("{}"))
        #expect(rows[1].columns["payload"] == .text(String(long.prefix(65_536))))
        #expect(rows[0].columns["rejectedAt"] == .number(0), "directory input has no timestamps")
    }
}
