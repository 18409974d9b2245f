import Foundation
import KafkaIO
import Simulation
import TestSupport
import Testing

@Suite("Whatever disk is lost, the tables are right again after the restore")
struct DiskLossTests {
    private static let transactions = 60_000
    private static let partitions = 8
    private static let leastLosses = 6

    /// The worker is killed at random moments, and at every second kill its state directory is gone as well. What it had
    /// delivered after its last checkpoint is rolled back then and computed again. Keyed by `id`, re-keying stands in front: a
    /// restore meets records on their way between two stages.
    @Test(
        .timeLimit(.minutes(8)),
        arguments: [
            ("local", "directory", "customer_id"), ("shared", "directory", "customer_id"), ("local", "S3", "customer_id"),
            ("local", "directory", "id"),
        ])
    func theTablesEqualThoseOfAnUndisturbedRun(durability: String, store: String, keyedBy: String) throws {
        let seed = ProcessInfo.processInfo.environment["TIDEMARK_KILL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)
        print("disk loss test, \(durability), \(store), keyed by \(keyedBy): TIDEMARK_KILL_SEED=\(seed)")
        var random = SeededRandom(seed: seed)
        let clickHouse = try ClickHouseServer()
        let broker = try DevelopmentBrokerProcess(topics: topics)
        let generator = try TidemarkBinary.start([
            "generate", "--brokers", broker.brokers, "--transactions", "\(Self.transactions)", "--partitions", "\(Self.partitions)",
            "--seed", "\(seed % 1000)", "--rate", "4000", "--speedup", "100", "--sessions-first", "--customers", "2000",
        ])
        try broker.waitForTransactions(1000, partitions: Self.partitions)
        let s3 = store == "S3" ? try S3Server() : nil
        let job = try JobFixture(
            .kafka(broker.brokers), clickHouse,
            settings: [
                "clickhouse.flushInterval=200ms", "epoch.interval=100ms", "state.durability=\(durability)", "input.keyedBy=\(keyedBy)",
            ] + (s3.map { ["checkpoints.store=s3://\($0.bucket)/jobs"] } ?? []), environment: s3?.environment() ?? [:])
        let rollbacks = try disturb(job, while: generator, &random)
        #expect(generator.waitForExit() == 0, "\(generator.errors)")
        if durability == "local" { #expect(rollbacks > 0, "no loss met rows that had to be rolled back") }

        let finished = try job.runUntilEnd(["--take-over"])
        #expect(finished.status == 0, "\(finished.errors)")
        let reference = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["input.keyedBy=\(keyedBy)"])
        #expect(try reference.runUntilEnd().status == 0)
        for table in GoldenEndToEndTests.tables {
            #expect(try job.rowsThatDiffer(from: reference, table) == 0, "\(table.name) with seed \(seed)")
            #expect(try job.repeatedNames(table.name) == 0)
        }
    }

    private var topics: [String] {
        GoldenCase.streams.map { "\($0):\(Self.partitions)" } + GoldenCase.referenceTopics.map { "\($0):1" }
    }

    /// How many restores rolled back rows.
    private func disturb(_ job: JobFixture, while generator: ChildProcess, _ random: inout SeededRandom) throws -> Int {
        var (kills, losses, rollbacks) = (0, 0, 0)
        while generator.isRunning || losses < Self.leastLosses {
            let worker = try job.start(["--take-over"])
            // The moment is the point of this test: any one must do.
            usleep(UInt32.random(in: 500_000...4_000_000, using: &random))
            #expect(worker.isRunning, "the worker ended by itself: \(worker.errors)")
            worker.send(SIGKILL)
            worker.waitForExit()
            kills += 1
            if worker.errors.contains("rolled back: ") && !worker.errors.contains("rolled back: no rows") { rollbacks += 1 }
            guard kills.isMultiple(of: 2) else { continue }
            try FileManager.default.removeItem(atPath: job.stateDirectory)
            losses += 1
        }
        print("disk loss test: \(kills) kills, \(losses) disks lost, \(rollbacks) starts that rolled back rows")
        return rollbacks
    }
}

extension JobFixture {
    /// How many names of rows stand in a table more than once.
    func repeatedNames(_ table: String) throws -> Int {
        let counts = try clickHouse.rows("SELECT count(), uniqExact(_task, _lineage, _batch, _row) FROM \(database).\(table)")[0]
        return (Int(counts[0]) ?? -1) - (Int(counts[1]) ?? 0)
    }
}
