import Foundation
import Testing
import TestSupport

@Suite("Promise 3: rows of an undelivered batch that somebody deleted stop the job, and settle is the way out")
struct SettleTests {
    /// The metrics' batch is settled by sending what is missing, the sessions' by the operator's word.
    @Test func aBatchThatIsThereInPartIsSettledByTheOperator() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try jobWithUnansweredBatches(clickHouse, log)
        let database = job.database
        try delete("_row % 3 = 1", from: "\(database).customer_transaction_metrics", clickHouse)
        try delete("_row = 0", from: "\(database).customer_session_metrics", clickHouse)

        let taken = try job.run("settle", ["--batch", "customer_session_metrics:1", "--as", "delivered"])
        #expect(taken.status == 0 && taken.output == "customer_session_metrics:1: taken as delivered\n", "\(taken.errors)")
        let stopped = try job.runUntilEnd()
        #expect(stopped.status == 1 && stopped.errors.contains("tidemark settle --batch customer_transaction_metrics:1"), "\(stopped.errors)")
        let unknown = try job.run("settle", ["--batch", "customer_transaction_metrics:7", "--as", "delivered"])
        #expect(unknown.status == 10 && unknown.errors.contains("customer_transaction_metrics:1"), "\(unknown.errors)")

        let resent = try job.run("settle", ["--batch", "customer_transaction_metrics:1", "--as", "resend-missing"])
        #expect(resent.status == 0 && resent.output.contains("were sent"), "\(resent.errors)")
        let finished = try job.runUntilEnd()
        #expect(finished.status == 0, "\(finished.errors)")

        let reference = try JobFixture(.directory(log.path), clickHouse)
        #expect(try reference.runUntilEnd().status == 0)
        let metrics = try #require(GoldenEndToEndTests.tables.first { $0.name == "customer_transaction_metrics" })
        #expect(try job.rowCount(metrics.name) == reference.rowCount(metrics.name))
        #expect(try job.rowsThatDiffer(from: reference, metrics) == 0)
        #expect(try job.provenanceProblems(metrics.name) == [])
        let sessions = (all: try reference.rowCount("customer_session_metrics"), left: try job.rowCount("customer_session_metrics"))
        #expect(sessions.left == sessions.all - 1)
    }

    /// A job that was killed when its first batches had landed and their answers were lost.
    private func jobWithUnansweredBatches(_ clickHouse: ClickHouseServer, _ log: TemporaryDirectory) throws -> JobFixture {
        let proxy = try FaultProxy(to: clickHouse.port)
        proxy.meet(Array(repeating: .dropAnswer, count: 10))
        let job = try JobFixture(.directory(log.path), clickHouse)
        let worker = try job.start(["--until-end", "--set", "clickhouse.url=\(proxy.url)", "--set", "clickhouse.settleDelay=10m"])
        try waitUntil("both tables have rows") {
            ["customer_transaction_metrics", "customer_session_metrics"].allSatisfy { ((try? job.rowCount($0)) ?? 0) > 0 }
        }
        worker.send(SIGKILL)
        #expect(worker.waitForExit() == -SIGKILL)
        return job
    }

    private func delete(_ rows: String, from table: String, _ clickHouse: ClickHouseServer) throws {
        let before = try clickHouse.rows("SELECT count() FROM \(table)")
        try clickHouse.query("ALTER TABLE \(table) DELETE WHERE _batch = 1 AND \(rows)")
        try waitUntil("the mutation is done") { try clickHouse.rows("SELECT count() FROM system.mutations WHERE is_done = 0") == [["0"]] }
        #expect(try clickHouse.rows("SELECT count() FROM \(table)") != before)
    }
}
