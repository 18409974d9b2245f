import Foundation
import TestSupport
import Testing

@Suite("The same input gives the same rows, however it is cut into epochs, threads and polls")
struct RepeatabilityTests {
    private static let transactions = 40_000
    private static let partitions = 8

    /// One run reads files on one thread with epochs of 50 ms; one reads Kafka on four with epochs of 5 s; one reads
    /// Kafka while partition after partition is filled, so that some tasks are at their ends before others begin.
    @Test(.timeLimit(.minutes(3)))
    func epochsThreadsAndInterleavingsDoNotShow() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-repeatable")
        let generated = try TidemarkBinary.run([
            "generate", "--out", log.path, "--transactions", "\(Self.transactions)", "--partitions", "\(Self.partitions)",
            "--customers", "3000", "--rate", "100",
        ])
        #expect(generated.status == 0, "\(generated.errors)")

        let fine = try JobFixture(.directory(log.path), clickHouse, settings: ["epoch.interval=50ms", "worker.threads=1"])
        #expect(try fine.runUntilEnd().status == 0)
        let counted = try clickHouse.rows("SELECT sum(transactionCount), count() FROM \(fine.database).customer_transaction_metrics")[0]
        #expect((Int(counted[0]) ?? 0) > Self.transactions * 9 / 10 && (Int(counted[1]) ?? 0) > 1000)

        let broker = try DevelopmentBrokerProcess(topics: topics)
        try loadReferences(from: log, into: broker)
        let growing = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["epoch.interval=200ms", "worker.threads=3"])
        let worker = try growing.start()
        let loaded = try TidemarkBinary.run(["load", log.file("streams"), "--brokers", broker.brokers])
        #expect(loaded.status == 0, "\(loaded.errors)")
        try waitUntil("the worker has delivered while the log grew") { try growing.hasRows("customer_lifecycle_analytics") }
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        #expect(try growing.runUntilEnd().status == 0)

        let coarse = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["epoch.interval=5s", "worker.threads=4"])
        #expect(try coarse.runUntilEnd().status == 0)

        for table in GoldenEndToEndTests.tables {
            #expect(try coarse.rowsThatDiffer(from: fine, table) == 0, "\(table.name): 5 s on four threads, 50 ms on one")
            #expect(try growing.rowsThatDiffer(from: fine, table) == 0, "\(table.name): a log that grows, and one that is there")
        }
    }

    private var topics: [String] {
        GoldenCase.streams.map { "\($0):\(Self.partitions)" } + GoldenCase.referenceTopics.map { "\($0):1" }
    }

    /// Puts the reference topics into Kafka, and the sessions: what a table holds when a transaction is processed must
    /// not depend on the run. The transactions are left in `streams`, a directory beside.
    private func loadReferences(from log: TemporaryDirectory, into broker: DevelopmentBrokerProcess) throws {
        let (references, streams) = (log.file("references"), log.file("streams"))
        try FileManager.default.createDirectory(atPath: references, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: streams, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: log.path) where name.hasPrefix("fintech.") {
            let target = name.hasPrefix(GoldenCase.streams[0]) ? streams : references
            try FileManager.default.copyItem(atPath: log.file(name), toPath: "\(target)/\(name)")
        }
        let loaded = try TidemarkBinary.run(["load", references, "--brokers", broker.brokers])
        #expect(loaded.status == 0, "\(loaded.errors)")
    }
}

extension JobFixture {
    /// False as well while the table is not there yet.
    func hasRows(_ table: String) throws -> Bool { ((try? rowCount(table)) ?? 0) > 0 }
}
