import Engine
import FintechJob
import Testing
import TestSupport

@Suite("The job's tables hold exactly the golden rows")
struct GoldenTests {
    @Test(arguments: GoldenCase.all)
    func everyTableHoldsTheGoldenRows(of golden: GoldenCase) throws {
        var settings = FintechSettings()
        if golden.name == GoldenCase.rules.name { settings.alertThreshold = 0 }
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        try run.run { try golden.input($0) }
        #expect(topology.tables.map(\.name) == [
            "rejected_records", "customer_transaction_metrics", "fraud_detection_alerts", "customer_lifecycle_analytics",
            "customer_session_metrics", "merchant_performance_analytics",
        ])
        for table in topology.tables {
            let actual = try GoldenRow.rows(of: table, in: run.chunks).map { try $0.shownInGolden() }
            let differences = rowDifferences(actual, expected: try golden.expectedRows(of: table.name))
            #expect(differences.isEmpty, "\(golden), \(table.name):\n\(differences.joined(separator: "\n"))")
        }
    }
}
