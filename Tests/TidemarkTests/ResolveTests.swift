import FintechJob
import Foundation
import TestSupport
import Testing

@Suite("Promise 3: a batch whose rows were deleted by hand stops the job, and resolve is the way out")
struct ResolveTests {
    private let table = "customer_transaction_metrics"

    /// A job that was killed while it waited for what became of batch 1, of which one row was then deleted.
    private func jobWithAPartlyDeletedBatch(on clickHouse: ClickHouseServer, _ log: TemporaryDirectory) throws -> JobFixture {
        try GoldenCase.basic.layOutInput(in: log.path)
        let proxy = try FaultProxy(to: clickHouse.port)
        let job = try JobFixture(.directory(log.path), clickHouse, url: proxy.url, settings: ["clickhouse.resolveDelay=60s"])
        // Every table waits for what became of its first batch.
        proxy.meet(Array(repeating: .dropAnswer, count: GoldenEndToEndTests.tables.count))
        let worker = try job.start(["--until-end"])
        try waitUntil("the rows have landed and the answers are lost") {
            try #require(worker.isRunning, "\(worker.errors)")
            return (try? job.rowCount(table)) ?? 0 > 0
        }
        worker.send(SIGKILL)
        worker.waitForExit()
        let rows = try job.rowCount(table)
        try clickHouse.query("ALTER TABLE \(job.database).\(table) DELETE WHERE _batch = 1 AND _row = 0")
        try waitUntil("the row is deleted") { try job.rowCount(table) == rows - 1 }
        return job
    }

    private func expectStop(_ run: FinishedRun) {
        #expect(run.status == 1, "\(run.errors)")
        #expect(run.errors.contains("tidemark resolve") && run.errors.contains("\(table):1"), "\(run.errors)")
    }

    @Test func missingRowsAreSentAgainAndNoOthers() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        let job = try jobWithAPartlyDeletedBatch(on: clickHouse, log)
        let direct = ["--set", "clickhouse.url=\(clickHouse.url)", "--set", "clickhouse.resolveDelay=500ms"]
        expectStop(try job.runUntilEnd(direct))

        let resolved = try job.run("resolve", ["--batch", "\(table):1", "--as", "resend-missing"] + direct)
        #expect(resolved.status == 0, "\(resolved.errors)")
        #expect(resolved.output.contains("1 were sent"), "\(resolved.output)")
        let finished = try job.runUntilEnd(direct)
        #expect(finished.status == 0, "\(finished.errors)")
        for golden in GoldenEndToEndTests.tables {
            let found = try TableRows(golden, database: job.database, clickHouse)
            let expected = found.expected(try GoldenCase.basic.expectedRows(of: golden.name), golden)
            let differences = rowDifferences(found.rows, expected: expected)
            #expect(differences.isEmpty, "\(golden.name):\n\(differences.joined(separator: "\n"))")
            #expect(try job.provenanceProblems(golden.name) == [])
        }
    }

    @Test func aBatchTakenAsDeliveredStaysAsItIs() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        let job = try jobWithAPartlyDeletedBatch(on: clickHouse, log)
        let direct = ["--set", "clickhouse.url=\(clickHouse.url)", "--set", "clickhouse.resolveDelay=500ms"]
        expectStop(try job.runUntilEnd(direct))
        let former = try job.run("settle", ["--batch", "\(table):1", "--as", "delivered"] + direct)
        #expect(former.status == 0 && former.errors.contains("`settle` is called `resolve` now"), "the command's former name: \(former)")
        let finished = try job.runUntilEnd(direct)
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(try job.rowCount(table) == GoldenCase.basic.expectedRows(of: table).count - 1)
        #expect(try job.run("resolve", ["--batch", "\(table):1", "--as", "delivered"] + direct).status == 10, "it is resolved already")
    }
}
