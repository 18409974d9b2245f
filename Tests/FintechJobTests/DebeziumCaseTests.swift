import Engine
import FintechJob
import TestSupport
import Testing

@Suite("What Debezium really writes gives the rows that are right for the database")
struct DebeziumCaseTests {
    private static let tables = [
        "rejected_records", "customer_transaction_metrics", "fraud_detection_alerts", "customer_lifecycle_analytics",
        "customer_session_metrics",
        "merchant_performance_analytics",
    ]

    static func settings(_ debezium: DebeziumCase) throws -> FintechSettings {
        let text = try debezium.settings()
        var settings = FintechSettings()
        settings.keyedBy = text.contains("keyedBy: id") ? .id : .customerID
        if text.contains("deduplicate: {by: id}") { settings.deduplicationHorizon = .hours(24) }
        return settings
    }

    /// The tables whose rows go by the order in which records of different partitions meet.
    private static let ordered = ["fraud_detection_alerts", "customer_lifecycle_analytics"]

    /// Runs the case; for each table the differences from the rows that are right.
    private func differences(_ debezium: DebeziumCase, _ settings: FintechSettings) throws -> (
        differences: [String: [String]], run: TopologyRun
    ) {
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        let records = try debezium.records()
        try run.run { topic in records[topic] ?? [[]] }
        var differences: [String: [String]] = [:]
        // What is re-keyed from several partitions meets in any order.
        let isOrdered = try debezium.partitions() == 1 || settings.keyedBy == .customerID
        for table in topology.tables
        where DebeziumCaseTests.tables.contains(table.name) && (isOrdered || !DebeziumCaseTests.ordered.contains(table.name)) {
            let actual = try GoldenRow.rows(of: table, in: run.chunks).map { try $0.shownInGolden() }
            let found = rowDifferences(actual, expected: try debezium.expectedRows(of: table.name))
            if !found.isEmpty { differences[table.name] = found }
        }
        return (differences, run)
    }

    private static let precise = ["base64-digits.precise", "precise-1-updates.default", "references-precise.refs--and-facts-string"]
    /// The settings of these leave out what the rows need: they are refused.
    private static let refused = ["status-flow.unwrap-noop", "string-keys.unwrap-op"]

    @Test(arguments: DebeziumCase.all.filter { !(precise + refused).contains($0.name) })
    func theRowsAreThoseOfTheDatabase(debezium: DebeziumCase) throws {
        let (differences, _) = try differences(debezium, DebeziumCaseTests.settings(debezium))
        #expect(differences.isEmpty, "\(debezium): \(differences)")
    }

    /// What the database says once all has happened: 58 completed, 8 failed, 3 pending and one cancelled of 70.
    @Test func whatChangesLaterCountsAsItIsInTheEnd() throws {
        let debezium = DebeziumCase("status-flow.env")
        var settings = try DebeziumCaseTests.settings(debezium)
        settings.statusUpdates = true
        settings.sessionsWhenEnded = true
        // The snapshot's sessions lie up to six minutes behind one another by their ends.
        settings.outOfOrderness = .minutes(10)
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        let records = try debezium.records()
        try run.run { topic in records[topic] ?? [[]] }
        func sum(_ table: String, _ columns: String...) throws -> [Double] {
            let rows = try GoldenRow.rows(of: topology.tables.first { $0.name == table }!, in: run.chunks)
            return columns.map { column in
                rows.reduce(0) { sum, row in if case .number(let count) = row.columns[column] { sum + count } else { sum } }
            }
        }
        #expect(
            try sum("customer_transaction_metrics", "completedCount", "failedCount", "pendingCount", "transactionCount") == [58, 8, 3, 70])
        #expect(try sum("customer_session_metrics", "sessionCount", "totalActions") == [14, 160])
        #expect(run.counters.values.allSatisfy { $0.rejected == 0 })
    }

    @Test(arguments: DebeziumCase.all.filter { precise.contains($0.name) })
    func withTheScaleOfItsDecimalsTheyAreToo(debezium: DebeziumCase) throws {
        var settings = try DebeziumCaseTests.settings(debezium)
        settings.form.decimals = .precise(scale: 2)
        let (differences, _) = try differences(debezium, settings)
        #expect(differences.isEmpty, "\(debezium): \(differences)")
    }
}
