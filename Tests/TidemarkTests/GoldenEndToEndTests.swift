import Engine
import FintechJob
import TestSupport
import Testing

@Suite("The golden rows stand in ClickHouse, through directory and Kafka, on both versions", .serialized)
struct GoldenEndToEndTests {
    static let tables = FintechJob.topology(settings: FintechSettings()).tables

    @Test func onClickHouse18() throws { try everyCase(on: ClickHouseServer()) }
    @Test func onClickHouse26() throws { try everyCase(on: ChdbServer()) }

    private func everyCase(on clickHouse: any TestClickHouse) throws {
        for golden in GoldenCase.all {
            let log = try TemporaryDirectory("tidemark-golden")
            try golden.layOutInput(in: log.path)
            // The case has an alert for every transaction.
            let settings = golden.name == GoldenCase.rules.name ? ["fraud.alertThreshold=0"] : []
            try check(golden, JobFixture(.directory(log.path), clickHouse, settings: settings), "directory")

            let broker = try DevelopmentBrokerProcess(topics: golden.topics)
            let loaded = try TidemarkBinary.run(["load", log.path, "--brokers", broker.brokers])
            #expect(loaded.status == 0, "\(loaded.errors)")
            try check(golden, JobFixture(.kafka(broker.brokers), clickHouse, settings: settings), "Kafka")
        }
    }

    private func check(_ golden: GoldenCase, _ job: JobFixture, _ input: String) throws {
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(golden) from \(input): \(run.errors)")
        // Customers who have not churned yet.
        if golden.name == GoldenCase.basic.name { #expect(run.errors.contains("timers stay set, the next for 20"), "\(run.errors)") }
        for table in GoldenEndToEndTests.tables {
            let found = try TableRows(table, database: job.database, job.clickHouse)
            let expected = found.expected(try golden.expectedRows(of: table.name), table)
            let differences = rowDifferences(found.rows, expected: expected)
            #expect(differences.isEmpty, "\(golden) from \(input), \(table.name):\n\(differences.joined(separator: "\n"))")
            #expect(try job.provenanceProblems(table.name) == [])
        }
    }
}

extension GoldenCase {
    /// The input topics as `tidemark dev --topics` takes them.
    var topics: [String] { GoldenCase.streams.map { "\($0):\(partitions)" } + GoldenCase.referenceTopics.map { "\($0):1" } }
}
