import Foundation
import TestSupport
import Testing

@Suite("The checkpoint tool on the shipped job: its binary is asked, and its ClickHouse rows are counted")
struct CheckpointToolTests {
    private let clickHouse: ClickHouseServer
    private let log: TemporaryDirectory
    private let job: JobFixture

    init() throws {
        clickHouse = try ClickHouseServer()
        log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        job = try JobFixture(.directory(log.path), clickHouse)
        let run = try job.runUntilEnd()
        try #require(run.status == 0, "\(run.errors)")
    }

    private func checkpoint(_ arguments: String...) throws -> FinishedRun {
        let path = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().appendingPathComponent("checkpoint").path
        let process = try ChildProcess(path, arguments)
        let status = process.waitForExit()
        return FinishedRun(status: status, output: process.output, errors: process.errors)
    }

    @Test func theSameVersionKeepsEveryTable() throws {
        let run = try checkpoint("compat", job.stateDirectory, "--config", job.configuration, "-o", "json")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains(#""table":"fraud_detection","action":"keep""#) || run.output.contains(#""action":"keep""#))
        #expect(!run.output.contains(#""action":"refuse""#))
    }

    @Test func rowsThatAreGoneFromClickHouseAreFound() throws {
        let whole = try checkpoint("reconcile", job.stateDirectory, "--config", job.configuration)
        #expect(whole.status == 0, "\(whole.output)\(whole.errors)")
        let table = "\(job.database).customer_transaction_metrics"
        let rows = try job.rowCount("customer_transaction_metrics")
        #expect(rows > 0)
        _ = try clickHouse.query("CREATE TABLE \(job.database).kept AS \(table)")
        _ = try clickHouse.query("INSERT INTO \(job.database).kept SELECT * FROM \(table) WHERE _row != 0")
        _ = try clickHouse.query("DROP TABLE \(table)")
        _ = try clickHouse.query("RENAME TABLE \(job.database).kept TO \(table)")
        let lacking = try checkpoint("reconcile", job.stateDirectory, "--config", job.configuration, "-o", "json")
        #expect(lacking.status == 2, "\(lacking.output)\(lacking.errors)")
        #expect(lacking.output.contains(#"{"table":"customer_transaction_metrics","lineage":1,"batch":1,"#))
    }

    @Test func everyRowOfTheJobIsExplained() throws {
        for row in try clickHouse.rows(
            "SELECT toString(_batch), toString(_row) FROM \(job.database).customer_transaction_metrics ORDER BY _batch, _row LIMIT 3")
        {
            let run = try checkpoint(
                "explain", "--at", job.stateDirectory, "--batch", "customer_transaction_metrics:\(row[0])", "--row", row[1], "-o", "jsonl")
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains(#""stage":"transactions""#))
        }
    }
}
