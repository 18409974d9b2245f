import Foundation
import TestSupport
import Testing

@Suite("A record of the future, whatever clock it was stamped by, makes nothing late but what it may")
struct FutureRecordTests {
    private static let transactions = "fintech.public.transactions"
    private static let start = 1_736_942_400_000

    private func line(_ id: String, _ customer: String, at milliseconds: Int) -> String {
        "{\"id\":\"\(id)\",\"customer_id\":\"\(customer)\",\"amount\":\"1.00\",\"created_at\":\(milliseconds),\"transaction_type\":\"card\",\"status\":\"completed\"}\n"
    }

    private func layOut(_ partitions: [String], in log: TemporaryDirectory) throws {
        try FileManager.default.createDirectory(atPath: log.file(Self.transactions), withIntermediateDirectories: true)
        for (number, lines) in partitions.enumerated() {
            try lines.write(toFile: log.file("\(Self.transactions)/\(number).jsonl"), atomically: true, encoding: .utf8)
        }
        for empty in GoldenCase.referenceTopics + [GoldenCase.streams[1]] {
            try "".write(toFile: log.file("\(empty).jsonl"), atomically: true, encoding: .utf8)
        }
    }

    /// One of two years from now, and one of 2105, in microseconds: in a directory nothing but the clock bounds them.
    @Test func itIsRejectedAndNothingElseIs() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-future")
        let future = Int(Date().timeIntervalSince1970 * 1000) + 2 * 365 * 86_400_000
        let ordinary = (0..<200).map { line("t\($0)", "c\($0 % 7)", at: Self.start + $0 * 1000) }
        let poisoned = line("future", "c0", at: future) + line("far", "c1", at: 4_271_000_000_000_000) + ordinary.joined()
        try layOut([poisoned, ordinary.prefix(3).joined().replacing("\"id\":\"t", with: "\"id\":\"u")], in: log)
        let job = try JobFixture(.directory(log.path), clickHouse)
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        let rejected = try clickHouse.rows("SELECT partition, offset, reason FROM \(job.database).rejected_records ORDER BY offset")
        #expect(rejected == [["0", "0", "ahead_of_clock"], ["0", "1", "ahead_of_clock"]])
        #expect(try clickHouse.rows("SELECT sum(transactionCount) FROM \(job.database).customer_transaction_metrics") == [["203"]])
        #expect(
            try clickHouse.rows("SELECT count() FROM \(job.database).customer_lifecycle_analytics WHERE eventType = 'CUSTOMER_CHURNED'")
                == [["0"]])
        let check = try job.run("check")
        #expect(check.output.split(separator: "\n").contains { $0.hasPrefix("ok       clock: ") }, "\(check)")
    }

    /// `off` is for those who replay a future.
    @Test func withTheBoundOffItIsProcessed() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-future")
        try layOut([line("a", "c", at: 4_271_000_000_000) + line("b", "c", at: 4_271_000_100_000)], in: log)
        let job = try JobFixture(.directory(log.path), clickHouse, settings: ["time.maxAhead=off"])
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        #expect(try job.rowCount("customer_transaction_metrics") == 2)
        #expect(try job.rowCount("rejected_records") == 0)
    }

    /// Within the bound a record may make others late: that is said, with the record that did.
    @Test func lateRecordsInNumbersAreSaidWithTheRecordThatRaisedTheWatermark() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-future")
        let before = (0..<300).map { line("t\($0)", "c\($0 % 7)", at: Self.start + $0 * 10) }
        let after = (0..<40).map { line("u\($0)", "c\($0 % 7)", at: Self.start + 3000 + $0 * 1000) }
        try layOut([before.joined() + line("ahead", "c0", at: Self.start + 59 * 60_000) + after.joined()], in: log)
        let run = try JobFixture(.directory(log.path), clickHouse).runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        let told = run.errors.split(separator: "\n").filter { $0.contains("were late") }
        #expect(told.count == 1 && told[0].contains("40 of 341 records"), "\(run.errors)")
        #expect(told[0].contains("raised furthest by offset 300 of partition 0, of 2025-01-15T12:59:00.000Z"), "\(told)")
        #expect(told[0].contains("time.maxAhead lets a record be 3600 s ahead"), "\(told)")
    }

    @Test func fewLateRecordsAreSaidOnceAMinuteIsOver() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-future")
        let before = (0..<900).map { line("t\($0)", "c\($0 % 7)", at: Self.start + $0) }
        let after = (0..<10).map { line("u\($0)", "c\($0 % 7)", at: Self.start + 900 + $0) }
        try layOut([before.joined() + line("ahead", "c0", at: Self.start + 59 * 60_000) + after.joined()], in: log)
        let run = try JobFixture(.directory(log.path), clickHouse).runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        let told = run.errors.split(separator: "\n").filter { $0.contains("were late") }
        #expect(told.count == 1 && told[0].contains("10 of 911 records") && told[0].contains("offset 900 of partition 0"), "\(run.errors)")
    }
}
