import Foundation
import TestSupport
import Testing

@Suite("Promise 6: what would lose or repeat records stops the job with an error that says what to do")
struct RefusalTests {
    /// A directory input of one partition with the golden case `basic`, already run to its end once.
    private func finishedJob(on clickHouse: any TestClickHouse) throws -> (job: JobFixture, log: TemporaryDirectory) {
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        let run = try job.runUntilEnd()
        try #require(run.status == 0, "\(run.errors)")
        return (job, log)
    }

    private func expectRefusal(_ run: FinishedRun, status: Int32 = 1, saying parts: String...) {
        #expect(run.status == status, "\(run.errors)")
        for part in parts { #expect(run.errors.contains(part), "'\(part)' is missing in: \(run.errors)") }
    }

    @Test func everyRefusalOfTheStateAndTheLog() throws {
        let clickHouse = try ClickHouseServer()
        let (job, log) = try finishedJob(on: clickHouse)
        let topic = "fintech.public.transactions"
        let file = log.file("\(topic).jsonl")
        let original = try Data(contentsOf: URL(fileURLWithPath: file))
        let rows = try job.rowCount("customer_transaction_metrics")

        // Another record at the last offset read: the topic was recreated.
        var lines = original.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lines[lines.count - 2] = Data("{\"another\":\"record\"}".utf8)
        try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: URL(fileURLWithPath: file))
        expectRefusal(try job.runUntilEnd(), saying: topic, "1999", "recreated")

        // A shorter log than what was read.
        try original.prefix(original.count / 2).write(to: URL(fileURLWithPath: file))
        expectRefusal(try job.runUntilEnd(), saying: topic, "2000")

        // One partition more than before.
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createDirectory(atPath: log.file(topic), withIntermediateDirectories: true)
        try original.write(to: URL(fileURLWithPath: log.file("\(topic)/0.jsonl")))
        try Data().write(to: URL(fileURLWithPath: log.file("\(topic)/1.jsonl")))
        expectRefusal(try job.runUntilEnd(), saying: topic, "2 partitions", "built with 1")
        try FileManager.default.removeItem(atPath: log.file(topic))
        try original.write(to: URL(fileURLWithPath: file))

        // An empty state directory that is not to be restored, while ClickHouse holds rows of this job.
        try FileManager.default.moveItem(atPath: job.stateDirectory, toPath: job.directory.file("moved"))
        let anew = ["--set", "state.restore=never"]
        expectRefusal(try job.runUntilEnd(anew), saying: "another worker has gone on with this job", "another checkpoints.store")
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        expectRefusal(
            try job.runUntilEnd(anew + ["--set", "checkpoints.store=off"]), saying: "holds rows of the job fintech",
            "state directory is empty")
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        try FileManager.default.moveItem(atPath: job.directory.file("moved"), toPath: job.stateDirectory)

        // A damaged state file.
        try FileManager.default.copyItem(atPath: job.stateDirectory, toPath: job.directory.file("intact"))
        try? FileManager.default.removeItem(atPath: job.stateDirectory + "/state.db-wal")
        let state = try #require(FileHandle(forUpdatingAtPath: job.stateDirectory + "/state.db"))
        try state.write(contentsOf: Data(repeating: 0x5A, count: 64))
        try state.close()
        expectRefusal(try job.runUntilEnd(), status: 4, saying: "state.db", "damaged", "a copy of the state directory", "start anew")
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        try FileManager.default.moveItem(atPath: job.directory.file("intact"), toPath: job.stateDirectory)

        // And with everything put back, nothing is lost or repeated.
        let again = try job.runUntilEnd()
        #expect(again.status == 0, "\(again.errors)")
        #expect(try job.rowCount("customer_transaction_metrics") == rows)
    }

    @Test func aStateDirectoryInUseIsRefused() throws {
        let clickHouse = try ClickHouseServer()
        let (job, log) = try finishedJob(on: clickHouse)
        defer { withExtendedLifetime(log) {} }
        let running = try job.start()
        try waitUntil("the worker runs") {
            try #require(running.isRunning, "\(running.errors)")
            return running.errors.contains("can be delivered to")
        }
        expectRefusal(try job.runUntilEnd(), status: 11, saying: "in use", job.stateDirectory)
        running.send(SIGTERM)
        #expect(running.waitForExit() == 0, "\(running.errors)")
    }

    @Test func tablesThatCanNotBeServedAreRefusedBeforeTheFirstRecord() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.edge.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        try clickHouse.query("CREATE DATABASE \(job.database)")

        expectRefusal(
            try job.runUntilEnd(["--set", "clickhouse.createTables=false"]), status: 10, saying: "rejected_records", "tidemark tables")

        let (first, second) = (try job.run("tables"), try job.run("tables"))
        #expect(first.status == 0 && first.output.contains(".rejected_records\tcreated\n"), "\(first)")
        #expect(second.status == 0 && second.output.contains(".rejected_records\tthere already\n"), "\(second)")
        try clickHouse.query("ALTER TABLE \(job.database).customer_transaction_metrics DROP COLUMN totalFees")
        expectRefusal(try job.runUntilEnd(), saying: "customer_transaction_metrics", "totalFees", "ALTER TABLE")

        try clickHouse.query("ALTER TABLE \(job.database).customer_transaction_metrics ADD COLUMN totalFees Date")
        expectRefusal(try job.runUntilEnd(), saying: "totalFees", "Date", "ALTER TABLE")
    }

    @Test func aWrongConfigurationNamesKeyLineAndWhatWasExpected() throws {
        let clickHouse = try ClickHouseServer()
        let job = try JobFixture(.kafka("127.0.0.1:1"), clickHouse)
        let text = """
            job: {id: fintech}
            input: {kafka: {properties: {bootstrap.servers: "127.0.0.1:1", enable.auto.commit: true}}}
            clickhouse: {url: "\(clickHouse.url)", flushIntervall: 1s}
            epoch: {interval: soon}
            """
        try text.write(toFile: job.configuration, atomically: true, encoding: .utf8)
        expectRefusal(
            try job.runUntilEnd(), saying: "enable.auto.commit", "clickhouse.flushIntervall", "clickhouse.flushInterval", "epoch.interval",
            "job.yaml:2", "job.yaml:3", "job.yaml:4"
        )
    }

    /// Servers of today refuse a wrong password with 401 before they look at the query; a proxy before them may say no more.
    @Test(arguments: ["Code: 516. DB::Exception: default: Authentication failed", ""])
    func aWrongPasswordIsADenial(body: String) throws {
        let server = try ScriptedHTTPServer { _ in
            .bytes(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"ClickHouse\"\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }
        let directory = try TemporaryDirectory()
        let text = "job: {id: fintech}\ninput: {directory: \"\(directory.path)\"}\nclickhouse: {url: \"http://127.0.0.1:\(server.port)\"}\n"
        try text.write(toFile: directory.file("job.yaml"), atomically: true, encoding: .utf8)
        expectRefusal(try TidemarkBinary.run(["tables", "--config", directory.file("job.yaml")]), status: 12, saying: "401")
    }

    @Test func anUnreachableBrokerIsNamedWithinTheLimit() throws {
        let clickHouse = try ClickHouseServer()
        let port = freePort()
        let job = try JobFixture(.kafka("127.0.0.1:\(port)"), clickHouse)
        expectRefusal(try job.runUntilEnd(), saying: "127.0.0.1:\(port)")
    }
}
