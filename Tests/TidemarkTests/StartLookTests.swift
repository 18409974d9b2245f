import Foundation
import TestSupport
import Testing

@Suite("A job that would misread all of a topic is not begun")
struct StartLookTests {
    private static let inserts = ["--set", "input.operations=inserts"]
    private static let precise = ["--set", "input.decimals=precise", "--set", "input.decimalScale=2"]

    /// A case as Debezium wrote it, what a start has to say of it, and the settings with which it begins; empty where none help.
    private static let cases: [(name: String, saying: [String], silencing: [String])] = [
        ("status-flow.unwrap-noop", ["missing_operation", "add.fields=op", "input.operations: inserts"], inserts),
        ("string-keys.unwrap-op", ["keys were printed as Struct{…}", "fintech.public.merchants", "key.converter"], []),
        ("base64-digits.precise", ["base64_decimal:amount", "input.decimals: precise"], precise),
        ("precise-1-updates.default", ["base64_decimal:amount", "input.decimals: precise"], precise),
    ]

    @Test(arguments: cases.indices)
    func aFirstStartThatWouldMisreadItsInputIsRefusedAndSaysWhatToSet(index: Int) throws {
        let (name, saying, silencing) = StartLookTests.cases[index]
        let records = try DebeziumCase(name).records()
        let broker = try DevelopmentBrokerProcess(topics: records.map { "\($0.key):\($0.value.count)" })
        try broker.write(records)
        let clickHouse = try ClickHouseServer()
        let job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["input.operations=records", "input.keyedBy=id"])

        let check = try job.run("check")
        #expect(check.status == 2, "\(check.output)\(check.errors)")
        let run = try job.runUntilEnd()
        #expect(run.status == 1 && run.errors.contains("the job is not begun"), "\(run.errors)")
        for text in saying {
            #expect(run.errors.contains(text), "'\(text)' is missing in:\n\(run.errors)")
            #expect(check.output.contains(text), "'\(text)' is missing in:\n\(check.output)")
        }
        #expect(try clickHouse.rows("SELECT name FROM system.databases WHERE name = '\(job.database)'").isEmpty)
        guard !silencing.isEmpty else { return }
        let begun = try job.runUntilEnd(silencing)
        #expect(begun.status == 0, "\(begun.errors)")
    }

    @Test func theFirstStartOfThisVersionOnAnOlderStateLooksAndLaterOnesDoNot() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        let records = ["--set", "input.operations=records"]
        let refused = try job.runUntilEnd(records)
        #expect(refused.status == 1 && refused.errors.contains("missing_operation"), "\(refused.errors)")
        #expect(try job.runUntilEnd().status == 0)
        let again = try job.runUntilEnd(records)
        #expect(again.status == 0, "\(again.errors)")

        try makeOlder(job)
        let older = try job.runUntilEnd(records)
        #expect(
            older.status == 1 && older.errors.contains("missing_operation") && older.errors.contains("input.operations"), "\(older.errors)")
        #expect(try job.runUntilEnd().status == 0)
    }

    @Test func whatOpensAnOlderStateWithoutLookingLeavesTheLookToTheNextStart() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        #expect(try job.runUntilEnd().status == 0)
        try makeOlder(job)
        try skipALine(of: job, in: log)
        let finalized = try job.run("finalize")
        #expect(finalized.status == 0, "\(finalized.errors)")
        let records = ["--set", "input.operations=records"]
        #expect(try job.run("check", records).status == 2)
        let refused = try job.runUntilEnd(records)
        #expect(refused.status == 1 && refused.errors.contains("missing_operation"), "\(refused.errors)")
        #expect(try job.runUntilEnd().status == 0)
        let again = try job.runUntilEnd(records)
        #expect(again.status == 0, "\(again.errors)")
    }

    private func skipALine(of job: JobFixture, in log: TemporaryDirectory) throws {
        let topic = GoldenCase.streams[0]
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: log.path).filter { $0.hasPrefix(topic) }.sorted().first)
        let path = log.file(name)
        let before = try String(contentsOfFile: path, encoding: .utf8)
        try (before + "{}\n").write(toFile: path, atomically: false, encoding: .utf8)
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        let skipped = try job.run("skip", [topic, "0", "\(lines)", "--reason", "a line too many", "--force"])
        #expect(skipped.status == 0, "\(skipped.errors)")
    }

    /// Makes the state one of the version before operations had to be said.
    private func makeOlder(_ job: JobFixture) throws {
        let script =
            "import sqlite3,sys; d = sqlite3.connect(sys.argv[1]); d.execute(\"UPDATE meta SET value = '2' WHERE name IN ('job_version', 'min_reader')\"); d.execute(\"DELETE FROM meta WHERE name = 'input_looked_at_by'\"); d.commit()"
        let python = try ChildProcess("/usr/bin/python3", ["-c", script, job.stateDirectory + "/state.db"])
        #expect(python.waitForExit() == 0, "\(python.errors)")
    }
}
