import Engine
import Foundation
import TestSupport
import Testing

@Suite("Kafka output: every table's rows also stand in its topic, in transactions", .serialized)
struct KafkaOutputTests {
    private static let topics = [
        "rejected_records": "fintech.rejected_records", "customer_transaction_metrics": "fintech.customer_transaction_metrics",
        "fraud_detection_alerts": "fintech.customer_fraud_alerts", "customer_lifecycle_analytics": "fintech.customer_lifecycle",
        "customer_session_metrics": "fintech.customer_session_metrics", "merchant_performance_analytics": "fintech.merchant_performance",
    ]

    @Test(arguments: [GoldenCase.basic, GoldenCase.edge])
    func theTopicsHoldTheGoldenRows(of golden: GoldenCase) throws {
        let clickHouse = try ClickHouseServer()
        let broker = try DevelopmentBrokerProcess(topics: golden.topics)
        let log = try TemporaryDirectory("tidemark-golden")
        try golden.layOutInput(in: log.path)
        let loaded = try TidemarkBinary.run(["load", log.path, "--brokers", broker.brokers])
        try #require(loaded.status == 0, "\(loaded.errors)")
        let job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["output.kafka.enabled=true"])

        let before = try job.run("check")
        #expect(before.output.contains("output topic fintech.customer_fraud_alerts: none yet"), "\(before.output)\(before.errors)")
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        for table in GoldenEndToEndTests.tables {
            let expected = try golden.expectedRows(of: table.name)
            let topic = try OutputTopic(KafkaOutputTests.topics[table.name]!, table, brokers: broker.brokers)
            let differences = rowDifferences(topic.rows, expected: expected)
            #expect(differences.isEmpty, "\(golden), \(table.topic):\n\(differences.joined(separator: "\n"))")
            #expect(try job.rowCount(table.name) == expected.count, "ClickHouse has them too")
            let homes = Set(zip(topic.keys, topic.partitions).filter { $0.0 != nil }.map { "\($0.0!) \($0.1)" })
            #expect(homes.count == Set(topic.keys.compactMap { $0 }).count, "\(table.topic): a key's rows lie in one partition")
        }

        // The development broker keeps no ledger, as if its topics had been made anew.
        let checked = try job.run("check")
        #expect(
            checked.status == 2 && checked.output.contains("finding  output topic fintech.customer_transaction_metrics: the ledger"),
            "\(checked.output)")
        let again = try job.runUntilEnd()
        #expect(again.status == 10 && again.errors.contains("is gone, although batches up to"), "\(again.errors)")
        let without = try job.runUntilEnd(["--set", "output.kafka.enabled=false"])
        #expect(without.status == 0, "nothing waits for Kafka, so the output can be switched off: \(without.errors)")
    }
}
