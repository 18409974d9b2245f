import Foundation
import TestSupport
import Testing

@Suite("In steady state a table gets at most two INSERTs a second, whatever the number of partitions")
struct SteadyStateTests {
    @Test func sixtyFourPartitionsMakeNoMoreInsertsThanOne() throws {
        let clickHouse = try ClickHouseServer()
        let broker = try DevelopmentBrokerProcess(
            topics: GoldenCase.streams.map { "\($0):64" } + GoldenCase.referenceTopics.map { "\($0):1" })
        let job = try JobFixture(.kafka(broker.brokers), clickHouse)
        let start = Date()
        let worker = try job.start()
        let generator = try TidemarkBinary.start([
            "generate", "--brokers", broker.brokers, "--transactions", "40000", "--partitions", "64", "--rate", "5000", "--speedup", "60",
            "--customers", "4000",
        ])
        #expect(generator.waitForExit() == 0, "\(generator.errors)")
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        let seconds = Date().timeIntervalSince(start)
        for table in GoldenEndToEndTests.tables {
            // A batch is one INSERT, and nothing here makes one be sent again.
            let batches = Int(try clickHouse.rows("SELECT uniqExact(_batch) FROM \(job.database).\(table.name)")[0][0]) ?? -1
            #expect(Double(batches) <= 2 * seconds + 2, "\(table.name): \(batches) INSERTs in \(seconds) s")
        }
        #expect(try job.rowCount("customer_transaction_metrics") > 1000)
    }
}
