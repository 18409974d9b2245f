import Foundation
import TestSupport
import Testing

/// One change of a job after the other that has been read to its end, each on copies of its state, its log and its checkpoints.
@Suite("What `check` passes, `run` does not refuse, and what `run` refuses, `check` finds")
final class SameAnswerTests {
    private let clickHouse: ClickHouseServer
    private let log: TemporaryDirectory
    private let job: JobFixture
    private let kept: TemporaryDirectory
    private let away = [
        "AWS_ENDPOINT_URL": "http://127.0.0.1:\(freePort())", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "eu-west-1",
    ]
    private static let topic = "fintech.public.transactions"

    init() throws {
        clickHouse = try ClickHouseServer()
        log = try TemporaryDirectory("tidemark-log")
        kept = try TemporaryDirectory("tidemark-kept")
        try GoldenCase.basic.layOutInput(in: log.path)
        job = try JobFixture(.directory(log.path), clickHouse)
        try #require(try job.runUntilEnd().status == 0)
        for (name, path) in places { try FileManager.default.copyItem(atPath: path, toPath: kept.file(name)) }
    }

    private var places: [(String, String)] { [("state", job.stateDirectory), ("log", log.path), ("checkpoints", job.checkpoints)] }
    private var transactions: String { log.file("\(Self.topic).jsonl") }
    private static let storeAway = ["--set", "checkpoints.store=s3://bucket/away"]

    /// Nothing to say: both pass. Otherwise `check` has a finding and `run` ends with an error, and both say it.
    private func expectSame(
        _ what: String, _ options: [String] = [], saying text: String? = nil, run more: [String] = ["--until-end"],
        when change: () throws -> Void = {}
    ) throws {
        try change()
        let check = try TidemarkBinary.run(job.arguments("check", options), environment: away)
        let run = try TidemarkBinary.run(job.arguments("run", more + options), environment: away)
        #expect(check.status == (text == nil ? 0 : 2), "\(what): \(check.output)\(check.errors)")
        #expect((run.status == 0) == (text == nil), "\(what): \(run.status) \(run.errors)")
        if let text {
            #expect(check.output.contains("finding  ") && check.output.contains(text), "\(what): '\(text)' is missing in: \(check.output)")
            #expect(run.errors.contains(text), "\(what): '\(text)' is missing in: \(run.errors)")
        }
        for (name, path) in places {
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: kept.file(name), toPath: path)
        }
    }

    private func empty() throws { try FileManager.default.removeItem(atPath: job.stateDirectory) }

    @Test func ofTheLogAndTheState() throws {
        try expectSame("as it was")
        try expectSame("restored from its checkpoint") { try self.empty() }
        try expectSame("begun anew elsewhere", ["--set", "checkpoints.store=\(kept.file("elsewhere"))"])
        try expectSame("a recreated topic", saying: "recreated") {
            var lines = try String(contentsOfFile: self.transactions, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            lines[lines.count - 2] = "{\"another\":\"record\"}"
            try lines.joined(separator: "\n").write(toFile: self.transactions, atomically: true, encoding: .utf8)
        }
        try expectSame("a shorter log", saying: Self.topic) {
            let text = try Data(contentsOf: URL(fileURLWithPath: self.transactions))
            try text.prefix(text.count / 2).write(to: URL(fileURLWithPath: self.transactions))
        }
        try expectSame("a topic that is not there", saying: Self.topic) { try FileManager.default.removeItem(atPath: self.transactions) }
        try expectSame("a topic that has grown", saying: "the state was built with 1") { try self.grow(to: 2) }
        try expectSame("none that has grown", ["--before-repartition"], saying: "no topic has more partitions", run: [])
        try expectSame("one that has grown, before the repartition", ["--before-repartition"], run: []) { try self.grow(to: 2) }
        let off = ["--set", "checkpoints.store=off"]
        try expectSame("no state to repartition", ["--before-repartition"] + off, saying: "nothing to repartition", run: []) {
            try self.empty()
        }
        try expectSame("a setting that the state was built with", ["--set", "input.keyedBy=id"], saying: "was built with input.keyedBy")
        try expectSame("that of a checkpoint", ["--set", "input.keyedBy=id"], saying: "was built with input.keyedBy") { try self.empty() }
        try expectSame("another job's state", ["--set", "job.id=other"] + off, saying: "other")
        try expectSame("a damaged state", saying: "damaged") {
            try? FileManager.default.removeItem(atPath: self.job.stateDirectory + "/state.db-wal")
            let file = try #require(FileHandle(forUpdatingAtPath: self.job.stateDirectory + "/state.db"))
            try file.write(contentsOf: Data(repeating: 0x5A, count: 64))
            try file.close()
        }
    }

    @Test func ofTheCheckpointStore() throws {
        let never = ["--set", "state.restore=never"]
        try expectSame("a job that goes on elsewhere", never, saying: "another worker has gone on with this job") { try self.empty() }
        let store = ["--set", "checkpoints.store=/proc/none/checkpoints"]
        try expectSame("a store that can't be written", store, saying: "No such file or directory")
        try expectSame("a store that is away", Self.storeAway)
        let shared = ["--set", "state.durability=shared"]
        try expectSame("a store that is away, and shared durability", Self.storeAway + shared, saying: "nothing can be delivered without")
        try expectSame("a store that is away, and no state", Self.storeAway, saying: "reading s3://bucket/away") { try self.empty() }
        try expectSame("a checkpoint that is not there", ["--set", "state.restore=99"], saying: "99") { try self.empty() }
        let more = try String(contentsOfFile: transactions, encoding: .utf8).split(separator: "\n").last.map { "\($0)\n" } ?? ""
        try expectSame("a state that is older than its checkpoints", saying: "another worker has gone on with this job") {
            let file = try #require(FileHandle(forWritingAtPath: self.transactions))
            try file.seekToEnd()
            try file.write(contentsOf: Data(more.utf8))
            try file.close()
            #expect(try self.job.runUntilEnd().status == 0)
            try self.empty()
            try FileManager.default.copyItem(atPath: self.kept.file("state"), toPath: self.job.stateDirectory)
        }
    }

    @Test func ofClickHouseAndTheMachine() throws {
        let table = "\(job.database).customer_transaction_metrics"
        let ledger = ["--set", "state.restore=never", "--set", "checkpoints.store=off"]
        try expectSame("rows of a state that is gone", ledger, saying: "holds rows of the job fintech") { try self.empty() }
        try expectSame("no server", ["--set", "clickhouse.url=http://127.0.0.1:\(freePort())"], saying: "clickhouse.url")
        let database = ["--set", "clickhouse.database=none_\(job.database)", "--set", "clickhouse.createTables=false"] + ledger
        try expectSame("no tables, and none may be made", database, saying: "tidemark tables") { try self.empty() }
        let taken = try ScriptedHTTPServer { _ in .bytes("") }
        try expectSame("an address that is taken", ["--set", "http.bind=127.0.0.1:\(taken.port)"], saying: "127.0.0.1:\(taken.port)")
        try clickHouse.query("ALTER TABLE \(table) DROP COLUMN totalFees")
        try expectSame("a column that is missing", saying: "totalFees")
    }

    private func grow(to partitions: Int) throws {
        let text = try Data(contentsOf: URL(fileURLWithPath: transactions))
        try FileManager.default.removeItem(atPath: transactions)
        try FileManager.default.createDirectory(atPath: log.file(Self.topic), withIntermediateDirectories: true)
        for partition in 0..<partitions {
            try (partition == 0 ? text : Data()).write(to: URL(fileURLWithPath: log.file("\(Self.topic)/\(partition).jsonl")))
        }
    }
}
