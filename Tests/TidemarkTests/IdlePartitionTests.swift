import Foundation
import TestSupport
import Testing

@Suite("Quiet partitions don't hold their windows open, and don't run ahead of the busy one")
struct IdlePartitionTests {
    /// One record in each of 64 partitions at 12:00:01, then traffic in one partition until 12:05.
    @Test func sixtyFourQuietPartitionsFollowTheBusyOne() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-idle")
        let topic = "fintech.public.transactions"
        try FileManager.default.createDirectory(atPath: log.file(topic), withIntermediateDirectories: true)
        for partition in 0..<64 {
            var lines = line("quiet\(partition)", second: 1)
            if partition == 0 { lines += (2...300).map { line("busy", second: $0) }.joined() }
            try lines.write(toFile: log.file("\(topic)/\(partition).jsonl"), atomically: true, encoding: .utf8)
        }
        for empty in GoldenCase.referenceTopics + ["fintech.public.customer_sessions"] {
            try "".write(toFile: log.file("\(empty).jsonl"), atomically: true, encoding: .utf8)
        }
        let job = try JobFixture(.directory(log.path), clickHouse, settings: ["time.idleAfter=1s", "clickhouse.flushInterval=100ms"])
        let worker = try job.start()
        let table = "\(job.database).customer_transaction_metrics"
        try waitUntil("the quiet partitions' windows are closed") {
            try #require(worker.isRunning, "\(worker.errors)")
            let counted = try? clickHouse.rows("SELECT count() FROM \(table) WHERE startsWith(customerId, 'quiet')")[0][0]
            return counted == "64"
        }
        // The busy partition is at the end of its log as well: all are idle, so even its last window closes, and no more.
        try waitUntil("the last window is closed") {
            try clickHouse.rows("SELECT toUInt32(max(eventTime)) FROM \(table)")[0][0] == "\(1_736_942_400 + 330)"
        }
        #expect(
            try clickHouse.rows("SELECT count(), uniqExact(customerId, eventTime), sum(transactionCount) FROM \(table)")[0] == [
                "75", "75", "363",
            ])
        #expect(try job.rowCount("rejected_records") == 0)
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
    }

    private func line(_ customer: String, second: Int) -> String {
        let time = 1_736_942_400_000 + second * 1000
        return
            "{\"id\":\"t\(second)\",\"customer_id\":\"\(customer)\",\"amount\":\"1.00\",\"created_at\":\(time),\"transaction_type\":\"card\",\"status\":\"completed\"}\n"
    }
}
