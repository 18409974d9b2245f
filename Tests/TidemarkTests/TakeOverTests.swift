import CheckpointStores
import Foundation
import TestSupport
import Testing

@Suite("Promise 5: one worker has a job, and a lost one is replaced only when that is meant")
struct TakeOverTests {
    /// A job over a directory that is read to its end, with a worker that goes on waiting for more.
    private func runningJob(_ clickHouse: any TestClickHouse, _ log: TemporaryDirectory) throws -> (JobFixture, ChildProcess) {
        let made = try TidemarkBinary.run(["generate", "--out", log.path, "--transactions", "3000", "--rate", "1000"])
        #expect(made.status == 0, "\(made.errors)")
        let job = try JobFixture(
            .directory(log.path), clickHouse, settings: ["clickhouse.flushInterval=100ms", "checkpoints.interval=60s"])
        let worker = try job.start()
        try waitUntil("the worker delivers") { try job.hasRows("customer_lifecycle_analytics") }
        return (job, worker)
    }

    @Test func aCopiedConfigurationDoesNotTakeTheJobFromAWorkerThatRuns() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-takeover")
        let (job, worker) = try runningJob(clickHouse, log)
        let copy = try job.run("run", ["--set", "state.directory=\(job.directory.file("other"))"])
        #expect(copy.status == 11 && copy.errors.contains("--take-over"), "\(copy.errors)")
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        // It drained, so nothing has to be said any more.
        let next = try job.run("run", ["--until-end", "--set", "state.directory=\(job.directory.file("other"))"])
        #expect(next.status == 0 && next.errors.contains("restoring checkpoint"), "\(next.errors)")
        for table in GoldenEndToEndTests.tables { #expect(try job.repeatedNames(table.name) == 0) }
    }

    /// The worker before is only stopped, not dead: once it goes on, it finds that the job is no longer its own.
    @Test func aWorkerThatComesBackAfterTheTakeOverDeliversNothingMore() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-takeover")
        let (job, zombie) = try runningJob(clickHouse, log)
        zombie.send(SIGSTOP)
        let other = ["--set", "state.directory=\(job.directory.file("other"))"]
        let next = try job.run("run", ["--take-over", "--until-end"] + other)
        #expect(next.status == 0 && next.errors.contains("rows that were delivered after it are rolled back"), "\(next.errors)")
        let delivered = try clickHouse.rows("SELECT count(), max(_lineage) FROM \(job.database).customer_lifecycle_analytics")[0]
        #expect(delivered[1] == "2")
        // More input: the one that was stopped would deliver what becomes of it.
        let line =
            "{\"id\":\"zz\",\"customer_id\":\"zombie\",\"amount\":\"1.00\",\"created_at\":1736943000000,\"transaction_type\":\"card\",\"status\":\"completed\"}\n"
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log.file("fintech.public.transactions.jsonl")))
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
        try file.close()
        zombie.send(SIGCONT)
        #expect(zombie.waitForExit() == 1, "\(zombie.errors)")
        #expect(zombie.errors.contains("another worker has taken the job over"), "\(zombie.errors)")
        #expect(try clickHouse.rows("SELECT count(), max(_lineage) FROM \(job.database).customer_lifecycle_analytics")[0] == delivered)
        // Its state is refused from then on.
        let again = try job.run("run", ["--until-end"])
        #expect(again.status == 1 && again.errors.contains("restored elsewhere"), "\(again.errors)")
    }

    enum Damage: CaseIterable {
        case manifest, objectThatKeepsItsSize
    }

    /// A byte of the newest checkpoint's last object, or its manifest.
    private func damage(_ job: JobFixture, _ damage: Damage) throws {
        let folder = job.checkpoints + "/fintech/"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder + "manifests").filter { $0.hasSuffix(".json") }.max())
        let manifest = folder + "manifests/" + name
        switch damage {
        case .manifest: try Data("{}".utf8).write(to: URL(fileURLWithPath: manifest))
        case .objectThatKeepsItsSize:
            let store = try CheckpointStore.open(location: job.checkpoints, job: "fintech", environment: [:])
            let object = try #require(try store.newest()?.objects.last)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + object.key))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(fileURLWithPath: folder + object.key))
        }
    }

    @Test(arguments: Damage.allCases)
    func aStoreThatIsDamagedIsRestoredFromTheCheckpointBefore(_ kind: Damage) throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-takeover")
        let (job, worker) = try runningJob(clickHouse, log)
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        #expect(try job.runUntilEnd().status == 0)
        let rows = try job.rowCount("customer_lifecycle_analytics")
        try damage(job, kind)
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        let restored = try job.runUntilEnd(["--take-over"])
        #expect(restored.status == 0 && restored.errors.contains("is refused"), "\(restored.errors)")
        #expect(try job.rowCount("customer_lifecycle_analytics") == rows)
        for table in GoldenEndToEndTests.tables { #expect(try job.repeatedNames(table.name) == 0) }
    }

    /// The first start has the wrong checkpoint store, finds ClickHouse ahead of its empty state, and says so.
    @Test func aStartThatWasRefusedIsNotInTheWayOfTheRestore() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-takeover")
        let (job, worker) = try runningJob(clickHouse, log)
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        let rows = try job.rowCount("customer_lifecycle_analytics")
        let elsewhere = ["--set", "state.directory=\(job.directory.file("other"))"]
        let refused = try job.run("run", elsewhere + ["--set", "checkpoints.store=\(job.directory.file("wrong"))"])
        #expect(refused.status == 1 && refused.errors.contains("the state directory is empty"), "\(refused.errors)")
        let next = try job.runUntilEnd(elsewhere)
        #expect(next.status == 0 && next.errors.contains("restoring checkpoint"), "\(next.errors)")
        #expect(try job.rowCount("customer_lifecycle_analytics") >= rows)
        for table in GoldenEndToEndTests.tables { #expect(try job.repeatedNames(table.name) == 0) }
    }
}
