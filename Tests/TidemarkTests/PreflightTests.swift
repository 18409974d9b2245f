import Foundation
import TestSupport
import Testing

@Suite("Everything that can be looked at is looked at before the old worker stops", .serialized)
struct PreflightTests {
    private let clickHouse: ClickHouseServer
    private let log: TemporaryDirectory
    private let job: JobFixture

    init() throws {
        clickHouse = try ClickHouseServer()
        log = try TemporaryDirectory("tidemark-preflight")
        let made = try TidemarkBinary.run(["generate", "--out", log.path, "--transactions", "3000", "--rate", "1000"])
        #expect(made.status == 0, "\(made.errors)")
        job = try JobFixture(.directory(log.path), clickHouse, settings: ["clickhouse.flushInterval=100ms"])
    }

    /// A worker that has read all there is and has written a checkpoint since, and waits for more.
    private func runningWorker() throws -> ChildProcess {
        let worker = try job.start()
        try waitUntil("the worker delivers") {
            try #require(worker.isRunning, "\(worker.errors)")
            return try job.hasRows("customer_lifecycle_analytics")
        }
        let manifests = job.checkpoints + "/fintech/manifests"
        let there = (try? FileManager.default.contentsOfDirectory(atPath: manifests).count) ?? 0
        try waitUntil("a checkpoint is written") { (try? FileManager.default.contentsOfDirectory(atPath: manifests).count) ?? 0 > there }
        return worker
    }

    private func append(customer: String) throws {
        let line =
            "{\"id\":\"\(customer)\",\"customer_id\":\"\(customer)\",\"amount\":\"1.00\",\"created_at\":1736943000000,\"transaction_type\":\"card\",\"status\":\"completed\"}\n"
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log.file("fintech.public.transactions.jsonl")))
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
        try file.close()
    }

    /// The next version's tables are in a database of their own here, so that the worker before misses nothing.
    @Test func aMissingColumnEndsTheNextVersionWhileTheOneBeforeStillRuns() throws {
        let worker = try runningWorker()
        let other = ["--set", "clickhouse.database=\(job.database)_next"]
        defer { _ = try? clickHouse.query("DROP DATABASE IF EXISTS \(job.database)_next") }
        #expect(try job.run("tables", other).status == 0)
        let table = "\(job.database)_next.customer_transaction_metrics"
        try clickHouse.query("ALTER TABLE \(table) DROP COLUMN totalFees")
        let next = try TidemarkBinary.run(job.arguments("run", ["--wait"] + other))
        #expect(next.status == 2, "\(next.errors)")
        let statement = "ALTER TABLE `\(job.database)_next`.`customer_transaction_metrics` ADD COLUMN `totalFees` Decimal(38, 2) DEFAULT 0"
        #expect(next.errors.contains(statement) && next.errors.contains("1 finding is in the way"), "\(next.errors)")
        #expect(
            next.errors.contains("ok       topic fintech.public.transactions: ") && next.errors.contains("stands for it"), "\(next.errors)")
        #expect(worker.isRunning)

        // `tables` says the same, and with the statement run nothing is in the way any more.
        let tables = try job.run("tables", other)
        #expect(
            tables.status == 2 && tables.output.contains("customer_transaction_metrics\tdoes not fit\tthe column totalFees is missing")
                && tables.output.contains(statement), "\(tables)")
        try clickHouse.query(statement)
        #expect(try job.run("tables", other).status == 0)
        let ready = try job.start(["--wait"] + other)
        try waitUntil("the next worker waits") {
            try #require(ready.isRunning, "\(ready.errors)")
            return ready.errors.contains("waiting for the worker")
        }
        ready.send(SIGTERM)
        #expect(ready.waitForExit() == 0, "\(ready.errors)")
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
    }

    @Test func aCheckpointStoreThatIsAwayIsInNobodysWayWhereAStartGoesOnWithoutIt() throws {
        let worker = try runningWorker()
        let away = ["--set", "checkpoints.store=s3://bucket/away"]
        let access = [
            "AWS_ENDPOINT_URL": "http://127.0.0.1:\(freePort())", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": "eu-west-1",
        ]
        let shared = try TidemarkBinary.run(
            job.arguments("run", ["--wait", "--set", "state.durability=shared"] + away), environment: access)
        #expect(shared.status == 2 && shared.errors.contains("finding  checkpoints: "), "\(shared.errors)")
        let next = try TidemarkBinary.start(job.arguments("run", ["--wait"] + away), environment: access)
        try waitUntil("the next worker waits") {
            try #require(next.isRunning, "\(next.errors)")
            return next.errors.contains("waiting for the worker")
        }
        #expect(next.errors.contains("skipped  checkpoints: not looked at, because the store does not answer"), "\(next.errors)")
        next.send(SIGTERM)
        #expect(next.waitForExit() == 0 && worker.isRunning, "\(next.errors)")
    }

    @Test func clickHouseMayBeAwayDuringTheHandOver() throws {
        let worker = try runningWorker()
        let next = try job.start(["--wait"])
        try waitUntil("the next worker waits") {
            try #require(next.isRunning, "\(next.errors)")
            return next.errors.contains("waiting for the worker")
        }
        clickHouse.kill()
        worker.send(SIGTERM)
        #expect([0, 3].contains(worker.waitForExit()), "\(worker.errors)")
        try waitUntil("the next worker reads") {
            try #require(next.isRunning, "\(next.errors)")
            return next.errors.contains("reading begins")
        }
        // Its events come at once, so that there is something to deliver.
        try append(customer: "handedover")
        try waitUntil("the record is read and its rows wait") { next.errors.contains("gave no answer") }
        try clickHouse.start()
        try waitUntil("the rows are delivered") {
            try #require(next.isRunning, "\(next.errors)")
            return try clickHouse.rows("SELECT count() FROM \(job.database).customer_lifecycle_analytics WHERE customerId = 'handedover'")[
                0][0] != "0"
        }
        next.send(SIGTERM)
        #expect(next.waitForExit() == 0, "\(next.errors)")
        let last = try job.runUntilEnd()
        #expect(last.status == 0, "\(last.errors)")
        let reference = try JobFixture(.directory(log.path), clickHouse)
        #expect(try reference.runUntilEnd().status == 0)
        for table in GoldenEndToEndTests.tables {
            #expect(try job.rowCount(table.name) == reference.rowCount(table.name), "\(table.name)")
            #expect(try job.rowsThatDiffer(from: reference, table) == 0, "\(table.name)")
            #expect(try job.provenanceProblems(table.name) == [])
        }
    }

    @Test func aCheckBesideARunningWorkerLooksAtItsNewestCheckpoint() throws {
        let worker = try runningWorker()
        let temporary = try TemporaryDirectory("tidemark-scratch")
        let check = try TidemarkBinary.run(job.arguments("check", []), environment: ["TMPDIR": temporary.path])
        #expect(check.status == 0, "\(check.output)\(check.errors)")
        for line in [
            "ok       state: in use by a worker; checkpoint ", " stands for it: lineage 1, epoch ",
            "ok       positions: the log still has those of the checkpoint\n",
            "skipped  references.db: not looked at, because a worker has it",
            "ok       table customer_transaction_metrics: by month, fits\n",
        ] {
            #expect(check.output.contains(line), "'\(line)' is missing in:\n\(check.output)")
        }
        #expect(check.output.contains(": keep, version "), "\(check.output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [], "the copy is left behind")

        // Without checkpoints nobody knows how far the worker is, and the tables are looked at all the same.
        let blind = try job.run("check", ["--set", "checkpoints.store=off"])
        #expect(blind.status == 0 && blind.output.contains("skipped  state: not looked at, because a worker has it"), "\(blind)")
        #expect(
            blind.output.contains("skipped  positions: ") && blind.output.contains("table customer_transaction_metrics: by month, fits\n"),
            "\(blind)")

        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        let after = try job.run("check")
        #expect(after.status == 0 && after.output.contains("table customer_transaction_metrics: by month, fits the state\n"), "\(after)")
    }

    /// The worker is stopped where it stands, so that its checkpoint falls behind a log that forgets.
    @Test func whatTheLogHasForgottenSinceTheCheckpointIsNoFinding() throws {
        let broker = try DevelopmentBrokerProcess(
            topics: GoldenCase.streams.map { "\($0):1" } + GoldenCase.referenceTopics.map { "\($0):1" })
        #expect(try TidemarkBinary.run(["load", log.path, "--brokers", broker.brokers]).status == 0)
        let job = try JobFixture(.kafka(broker.brokers), clickHouse)
        let worker = try job.start()
        let offsets = ["offsets", "latest", "--config", job.configuration, "-o", "json"]
        try waitUntil("a checkpoint has all that was read") {
            try #require(worker.isRunning, "\(worker.errors)")
            return try checkpoint(offsets).output.contains("\"next\":3000")
        }
        worker.send(SIGSTOP)
        defer { worker.send(SIGKILL) }
        #expect(try job.run("check").output.contains("ok       positions: the log still has those of the checkpoint\n"))
        let more = try TemporaryDirectory("tidemark-more")
        var random = SystemRandomNumberGenerator()
        let lines = (0..<160).map { index in
            let padding = (0..<6000).map { _ in String(random.next(), radix: 36) }.joined()
            return
                "{\"id\":\"big\(index)\",\"customer_id\":\"c\",\"amount\":\"1.00\",\"created_at\":1736943000000,\"transaction_type\":\"card\",\"status\":\"completed\",\"padding\":\"\(padding)\"}\n"
        }
        try lines.joined().write(toFile: more.file("fintech.public.transactions.jsonl"), atomically: true, encoding: .utf8)
        #expect(try TidemarkBinary.run(["load", more.path, "--brokers", broker.brokers]).status == 0)
        let check = try job.run("check")
        #expect(check.status == 0, "\(check.output)\(check.errors)")
        #expect(check.output.contains("but of 1 partition, where it begins after them"), "\(check.output)")
    }

    @Test func compatSaysWhatAVersionNeedsOfTheTables() throws {
        let worker = try runningWorker()
        let compat = { try checkpoint(["compat", "latest", "--config", job.configuration, "-o", "json"]) }
        let fits = try compat()
        #expect(
            fits.status == 0 && fits.output.contains(#"{"table":"customer_transaction_metrics","standing":"fits","detail":null}"#),
            "\(fits)")
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        // As another version may leave the table: a column that this one does not fill, and one that can't hold its values.
        let table = "\(job.database).customer_transaction_metrics"
        try clickHouse.query("ALTER TABLE \(table) ADD COLUMN loyalty String")
        try clickHouse.query("ALTER TABLE \(table) DROP COLUMN totalFees")
        try clickHouse.query("ALTER TABLE \(table) ADD COLUMN totalFees Date DEFAULT '2020-01-01'")
        let differs = try compat()
        #expect(differs.status == 2 && differs.output.contains(#""starts":false"#), "\(differs)")
        for text in [
            #""standing":"alter""#, "the column loyalty (String) is none that this job fills", "MODIFY COLUMN `loyalty` String DEFAULT ''",
            "the column totalFees is Date",
        ] {
            #expect(differs.output.contains(text), "\(text) is missing in: \(differs.output)")
        }
        clickHouse.kill()
        let unknown = try compat()
        #expect(unknown.status == 0 && unknown.output.contains(#""standing":"not looked at""#), "\(unknown)")
        try clickHouse.start()
    }

    private func checkpoint(_ arguments: [String]) throws -> FinishedRun {
        let path = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().appendingPathComponent("checkpoint").path
        let process = try ChildProcess(path, arguments)
        let status = process.waitForExit()
        return FinishedRun(status: status, output: process.output, errors: process.errors)
    }
}
