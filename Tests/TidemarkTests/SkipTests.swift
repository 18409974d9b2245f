import Engine
import Foundation
import KafkaIO
import Logging
import TestSupport
import Testing

@Suite("A record that can't be read stops the job after everything before it is delivered, and skip is the way on")
struct SkipTests {
    private static let topic = GoldenCase.streams[0]
    private let clickHouse: ClickHouseServer
    private let broker: DevelopmentBrokerProcess

    init() throws {
        clickHouse = try ClickHouseServer()
        broker = try DevelopmentBrokerProcess(topics: (GoldenCase.streams + GoldenCase.referenceTopics).map { "\($0):1" })
    }

    private func writer() throws -> TopicWriter {
        let properties = [
            "bootstrap.servers": broker.brokers, "message.max.bytes": "200000000", "queue.buffering.max.kbytes": "400000",
            "linger.ms": "10000", "batch.size": "200000000",
        ]
        return try TopicWriter(WriterSettings(properties: properties), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func transaction(_ number: Int) -> [UInt8] {
        let time = 1_736_942_400_000 + number * 1000
        return Array(
            "{\"id\":\"t\(number)\",\"customer_id\":\"c\(number)\",\"amount\":\"1.00\",\"created_at\":\(time),\"transaction_type\":\"card\",\"status\":\"completed\"}"
                .utf8)
    }

    private func write(_ values: [[UInt8]], with writer: TopicWriter) throws {
        for value in values {
            try value.withUnsafeBytes { try writer.send(topic: Self.topic, partition: 0, key: .null, value: ByteView($0)) }
        }
        try writer.flush(timeout: .seconds(60))
    }

    /// Three transactions, two records of 75 MB of spaces in one batch, one of 2 MiB, three transactions.
    private func writeBomb() throws {
        let writer = try writer()
        try write((0..<3).map(transaction), with: writer)
        try write(Array(repeating: [UInt8](repeating: UInt8(ascii: " "), count: 75_000_000), count: 2), with: writer)
        try write([[UInt8](repeating: UInt8(ascii: " "), count: 2 << 20)], with: writer)
        try write((3..<6).map(transaction), with: writer)
    }

    @Test func theWholeWay() throws {
        try writeBomb()
        let job = try JobFixture(.kafka(broker.brokers), clickHouse)
        func skip(_ offset: Int64, _ more: [String] = []) throws -> FinishedRun {
            try job.run("skip", [Self.topic, "0", "\(offset)", "--reason", "a bomb, ticket 7"] + more)
        }
        #expect(try skip(3).status == 10, "there is no state yet")
        for _ in 0..<2 {
            let stopped = try job.runUntilEnd()
            #expect(stopped.status == 1 && stopped.errors.contains("tidemark skip \(Self.topic) 0 3 --reason"), "\(stopped.errors)")
            #expect(stopped.errors.contains("receive.message.max.bytes") && !stopped.errors.contains("damaged"), "\(stopped.errors)")
            #expect(
                try clickHouse.rows("SELECT customerId FROM \(job.database).customer_lifecycle_analytics ORDER BY customerId") == [
                    ["c0"], ["c1"], ["c2"],
                ])
        }
        #expect(try skip(2).status == 1, "that is behind")
        let far = try skip(6)
        #expect(far.status == 1 && far.errors.contains("offset 5") && far.errors.contains("can be read"), "\(far.errors)")
        #expect(try job.run("skip", ["nothing", "0", "3", "--reason", "x"]).status == 10)
        let reference = try job.run("skip", ["fintech.public.accounts", "0", "3", "--reason", "x"])
        #expect(reference.status == 1 && reference.errors.contains("is a reference topic"), "\(reference.errors)")
        for reason in ["", "two\nlines", String(repeating: "x", count: 201)] {
            #expect(try job.run("skip", [Self.topic, "0", "3", "--reason", reason]).status == 64)
        }

        let skipped = try skip(3)
        #expect(skipped.status == 0 && skipped.output.contains("offsets 3 to 4 are passed over; the next run reads on at 5"), "\(skipped)")
        #expect(try skip(3).status == 1, "once is enough")
        let finished = try job.runUntilEnd()
        #expect(finished.status == 0, "\(finished.errors)")
        let rejected = try clickHouse.rows("SELECT offset, reason FROM \(job.database).rejected_records ORDER BY offset")
        #expect(rejected == [["3", "skipped:a bomb, ticket 7"], ["4", "skipped:a bomb, ticket 7"], ["5", "too_large"]])
        #expect(try clickHouse.rows("SELECT sum(transactionCount) FROM \(job.database).customer_transaction_metrics") == [["6"]])
        for table in GoldenEndToEndTests.tables { #expect(try job.provenanceProblems(table.name) == []) }

        let check = try job.run("check")
        #expect(
            check.output.contains("skipped of \(Self.topic)[0]: offsets 3 to 4, on 20") && check.output.contains(": a bomb, ticket 7"),
            "\(check)")
        let tool = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().appendingPathComponent("checkpoint").path
        let shown = try TidemarkBinary.run(["show", "latest", "--config", job.configuration], of: tool)
        #expect(shown.status == 0 && shown.output.contains("a bomb, ticket 7"), "\(shown)")
    }

    @Test func whatCanBeReadIsLeftOutOnlyByForceAndNeverUnderAWorker() throws {
        try write((0..<3).map(transaction), with: try writer())
        let job = try JobFixture(.kafka(broker.brokers), clickHouse)
        let arguments = [Self.topic, "0", "3", "--reason", "wrong day"]
        let worker = try job.start()
        try waitUntil("rows arrive") { ((try? job.rowCount("customer_lifecycle_analytics")) ?? 0) == 3 }
        #expect(try job.run("skip", arguments).status == 11)
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        let atEnd = try job.run("skip", arguments)
        #expect(atEnd.status == 1 && atEnd.errors.contains("ends at offset 3"), "\(atEnd.errors)")
        try write((3..<5).map(transaction), with: try writer())
        let refused = try job.run("skip", arguments)
        #expect(refused.status == 1 && refused.errors.contains("offset 3 of \(Self.topic)[0] can be read"), "\(refused.errors)")
        #expect(try job.run("skip", arguments + ["--force"]).status == 0)
        #expect(try job.runUntilEnd().status == 0)
        #expect(try clickHouse.rows("SELECT offset, reason FROM \(job.database).rejected_records") == [["3", "skipped:wrong day"]])
        #expect(try clickHouse.rows("SELECT sum(transactionCount) FROM \(job.database).customer_transaction_metrics") == [["4"]])
    }
}
