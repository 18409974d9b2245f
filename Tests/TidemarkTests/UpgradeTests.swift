import Foundation
import TestSupport
import Testing

@Suite("A worker hands a running job over to the next without a record read twice or lost")
struct UpgradeTests {
    private static let transactions = 30_000
    private static let partitions = 8

    @Test(.timeLimit(.minutes(3)))
    func everyRecordIsReadOnce() throws {
        let clickHouse = try ClickHouseServer()
        let topics = GoldenCase.streams.map { "\($0):\(Self.partitions)" } + GoldenCase.referenceTopics.map { "\($0):1" }
        let broker = try DevelopmentBrokerProcess(topics: topics)
        let generator = try TidemarkBinary.start([
            "generate", "--brokers", broker.brokers, "--transactions", "\(Self.transactions)", "--partitions", "\(Self.partitions)",
            "--rate", "3000", "--speedup", "50", "--sessions-first",
        ])
        try broker.waitForTransactions(3000, partitions: Self.partitions)
        let job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["clickhouse.flushInterval=200ms"])
        let before = try job.start()
        try waitUntil("the worker delivers") { try job.hasRows("customer_lifecycle_analytics") }
        let next = try job.start(["--wait", "--until-end"])
        try waitUntil("the next worker waits") {
            try #require(next.isRunning, "\(next.errors)")
            return next.errors.contains("waiting for the worker")
        }
        try broker.waitForTransactions(Int64(Self.transactions) * 2 / 3, partitions: Self.partitions)
        before.send(SIGTERM)
        #expect(before.waitForExit() == 0, "\(before.errors)")
        // What is still made after the next one has begun to read is for a third.
        #expect(generator.waitForExit() == 0, "\(generator.errors)")
        #expect(next.waitForExit() == 0, "\(next.errors)")
        let last = try job.runUntilEnd()
        #expect(last.status == 0, "\(last.errors)")

        let read = try [before.errors, next.errors, last.errors].map(recordsRead)
        var made = 0
        for line in generator.output.split(separator: "\n") {
            let fields = line.split(separator: "\t").map(String.init)
            if GoldenCase.streams.contains(fields[0]) { made += try #require(Int(fields[1])) }
        }
        #expect(read.reduce(0, +) == made, "read \(read) of \(made) records")
        #expect(read[0] > 0 && read[1] > 0)
        let gap = try seconds(of: "reading begins", in: next.errors) - seconds(of: "draining", in: before.errors)
        print("upgrade: \(read) records read by the three workers; the gap between two was \(String(format: "%.3f", gap)) s")
        for part in ["reading", "checkpoint"] {
            #expect(
                before.errors.split(separator: "\n").contains { $0.contains("drained in ") && $0.contains("\(part) ") }, "\(before.errors)")
        }
        for part in ["wait", "load"] {
            #expect(
                next.errors.split(separator: "\n").contains { $0.contains("going on from epoch ") && $0.contains("\(part) ") },
                "\(next.errors)")
        }
        for table in GoldenEndToEndTests.tables { #expect(try job.provenanceProblems(table.name) == []) }
    }

    private func recordsRead(_ log: String) throws -> Int {
        let line = try #require(log.split(separator: "\n").last { $0.contains("everything is delivered") }, "\(log)")
        let words = line.split(separator: " ")
        return try #require(words.firstIndex(of: "records").flatMap { Int(words[$0 - 1]) })
    }

    /// The time of day of the first line of a log that says so.
    private func seconds(of text: String, in log: String) throws -> Double {
        let line = try #require(log.split(separator: "\n").first { $0.contains(text) }, "\(log)")
        let parts = line.prefix(12).split(separator: ":").compactMap { Double($0) }
        try #require(parts.count == 3)
        return parts[0] * 3600 + parts[1] * 60 + parts[2]
    }
}
