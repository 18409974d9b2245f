import Engine
import FintechJob
import Foundation
import Simulation
import TestSupport
import Testing

@Suite("Promise 1 to 4: whatever is killed, ClickHouse holds every row exactly once")
struct KillTests {
    private static let transactions = 200_000
    private static let partitions = 16
    private static let leastKills = 40

    /// The worker is killed at random moments while records come in, and ClickHouse twice; then the input is read to
    /// its end. The tables must equal those of a run that nobody disturbed.
    @Test(.timeLimit(.minutes(12)))
    func theTablesEqualThoseOfAnUndisturbedRun() throws {
        let seed = ProcessInfo.processInfo.environment["TIDEMARK_KILL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)
        print("kill test: TIDEMARK_KILL_SEED=\(seed)")
        var random = SeededRandom(seed: seed)
        let clickHouse = try ClickHouseServer()
        let broker = try DevelopmentBrokerProcess(topics: KillTests.topics)
        let generator = try TidemarkBinary.start([
            "generate", "--brokers", broker.brokers, "--transactions", "\(KillTests.transactions)", "--partitions",
            "\(KillTests.partitions)",
            "--seed", "\(seed % 1000)", "--rate", "8000", "--speedup", "100", "--sessions-first", "--customers", "5000",
        ])
        try broker.waitForTransactions(2000, partitions: KillTests.partitions)
        let job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["clickhouse.flushInterval=200ms", "epoch.interval=100ms"])
        let kills = try disturb(job, clickHouse, while: generator, &random)
        #expect(generator.waitForExit() == 0, "\(generator.errors)")
        #expect(kills.worker >= KillTests.leastKills && kills.clickHouse == 2)
        #expect(kills.unresolved > 0, "no kill met a batch under way")
        print(
            "kill test: \(kills.worker) SIGKILLs of the worker, \(kills.clickHouse) of ClickHouse, \(kills.unresolved) starts with batches to resolve"
        )
        try broker.requireWholeLog(partitions: KillTests.partitions)

        let finished = try job.runUntilEnd()
        #expect(finished.status == 0, "\(finished.errors)")
        let reference = try JobFixture(.kafka(broker.brokers), clickHouse)
        let undisturbed = try reference.runUntilEnd()
        #expect(undisturbed.status == 0, "\(undisturbed.errors)")
        for table in GoldenEndToEndTests.tables {
            #expect(try job.rowCount(table.name) == reference.rowCount(table.name))
            #expect(try job.rowsThatDiffer(from: reference, table) == 0, "\(table.name) with seed \(seed)")
            #expect(try job.provenanceProblems(table.name) == [])
        }
        let counted = try clickHouse.rows("SELECT sum(transactionCount) FROM \(job.database).customer_transaction_metrics")[0][0]
        let rejected = try job.rowCount("rejected_records")
        #expect((Int(counted) ?? 0) + rejected >= KillTests.transactions)
    }

    private static var topics: [String] {
        GoldenCase.streams.map { "\($0):\(partitions)" } + GoldenCase.referenceTopics.map { "\($0):1" }
    }

    private struct Kills {
        var worker = 0
        var clickHouse = 0
        var unresolved = 0
    }

    private func disturb(_ job: JobFixture, _ clickHouse: ClickHouseServer, while generator: ChildProcess, _ random: inout SeededRandom)
        throws -> Kills
    {
        var kills = Kills()
        // A job's first start reads the newest records before anything else; killed within that, it would always be a first start.
        let first = try job.start()
        try waitUntil("the first start delivers") { ((try? job.rowCount("customer_transaction_metrics")) ?? 0) > 0 }
        first.send(SIGKILL)
        first.waitForExit()
        while generator.isRunning || kills.worker < KillTests.leastKills || kills.clickHouse < 2 {
            let worker = try job.start()
            let moment = UInt32.random(in: 150_000...900_000, using: &random)
            // The moment is the point of this test: any one must do. Every second one lies behind the start, however long that takes here.
            if kills.worker.isMultiple(of: 2) {
                try waitUntil("the worker reads") { !worker.isRunning || worker.errors.contains("reading begins") }
            }
            usleep(moment)
            let killsClickHouse = kills.clickHouse < 2 && kills.worker >= (kills.clickHouse + 1) * 6
            if killsClickHouse {
                // A start needs ClickHouse; without it, it ends by itself.
                try waitUntil("the worker reads") { worker.errors.contains("reading begins") }
                clickHouse.kill()
                kills.clickHouse += 1
                usleep(UInt32.random(in: 0...500_000, using: &random))
            }
            #expect(worker.isRunning, "the worker ended by itself: \(worker.errors)")
            worker.send(SIGKILL)
            worker.waitForExit()
            kills.worker += 1
            if worker.errors.contains("may have been sent") { kills.unresolved += 1 }
            if killsClickHouse { try clickHouse.start() }
        }
        return kills
    }
}

extension JobFixture {
    /// How many rows stand in only one of the two jobs' tables, provenance left out.
    func rowsThatDiffer(from other: JobFixture, _ table: OutputTable) throws -> Int {
        // ClickHouse 18.16 crashes when it groups by a Decimal(38, 2).
        let values = table.columns.map { $0.type == .sum || $0.type == .amount ? "toString(`\($0.name)`) AS t_\($0.name)" : "`\($0.name)`" }
        let columns = table.columns.map { $0.type == .sum || $0.type == .amount ? "t_\($0.name)" : "`\($0.name)`" }.joined(separator: ", ")
        let both = [database, other.database].map { "SELECT \(values.joined(separator: ", ")) FROM \($0).\(table.name)" }.joined(
            separator: " UNION ALL ")
        let text = try clickHouse.rows(
            "SELECT count() FROM (SELECT \(columns), count() AS copies FROM (\(both)) GROUP BY \(columns) HAVING copies != 2)")
        return Int(text[0][0]) ?? -1
    }
}
