import Admin
import CurlHTTP
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("The shipped job restores checkpoint stores of every format that was ever released, and goes on from them", .serialized)
struct GoldenJobTests {
    private static let job = "fintech"
    /// So many transactions had been read at the checkpoints: the base, and the ends of its two deltas.
    private static let parts: [(checkpoint: Int, read: Int)] = [(1, 100), (2, 150), (4, 200)]

    private let clickHouse: ClickHouseServer
    private let log: TemporaryDirectory
    init() throws {
        clickHouse = try ClickHouseServer()
        log = try TemporaryDirectory("tidemark-log")
    }

    static func stores() throws -> [GoldenStore] { try GoldenStore.all().filter { $0.job == job } }

    @Test func thereIsAStore() throws { #expect(try !GoldenJobTests.stores().isEmpty) }

    /// As after a lost disk: the tables have what was delivered, the state comes from the store.
    @Test(arguments: try stores())
    func theTablesAreWholeInTheEnd(store: GoldenStore) throws {
        let untouched = try store.files()
        let job = try job(on: store)
        let run = try job.runUntilEnd()
        #expect(run.status == 0 && run.errors.contains("restoring checkpoint 4"), "\(run.errors)")
        for table in GoldenEndToEndTests.tables {
            let found = try TableRows(table, database: job.database, clickHouse)
            let expected = found.expected(try GoldenCase.basic.expectedRows(of: table.name), table)
            #expect(rowDifferences(found.rows, expected: expected) == [], "\(store), \(table.name)")
            #expect(try job.repeatedNames(table.name) == 0)
        }
        #expect(try store.files() == untouched)
    }

    /// The job with a copy of the store, the whole input, and tables as they were at the store's newest checkpoint.
    private func job(on store: GoldenStore) throws -> JobFixture {
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        try FileManager.default.copyItem(atPath: "\(store.path)/store", toPath: job.checkpoints)
        #expect(try job.run("tables").status == 0)
        for table in GoldenEndToEndTests.tables {
            let rows = try String(contentsOfFile: "\(store.path)/delivered/\(table.name).tsv", encoding: .utf8)
            if !rows.isEmpty { try clickHouse.query("INSERT INTO \(job.database).\(table.name) FORMAT TabSeparated\n\(rows)") }
        }
        return job
    }

    /// A build that knows only the earlier format goes on from what a rewind makes the newest again: it is of that format still.
    @Test(arguments: try stores())
    func theWayBackAcrossAFormatIsTheCheckpointFromBeforeIt(store: GoldenStore) throws {
        guard store.formats.state < Int(StateFormat.version) else { return }
        let job = try job(on: store)
        let run = try job.runUntilEnd()
        #expect(
            run.status == 0 && run.errors.contains("was of format \(store.formats.state) and is of format \(StateFormat.version) now"),
            "\(run.errors)")
        let tool = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().appendingPathComponent("checkpoint").path
        for arguments in [["rewind", "4", "--sink", "delete", "--yes"], ["restore", "latest", "--to", log.file("rewound")]] {
            let ended = try ChildProcess(tool, arguments + ["--store", job.checkpoints, "--job", GoldenJobTests.job])
            #expect(ended.waitForExit() == 0, "\(ended.errors)")
        }
        let rewound = try StateReader(path: log.file("rewound/state.db"))
        #expect(rewound.facts.format == Int64(store.formats.state) && rewound.facts.lineage > .first)
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        #expect(try job.runUntilEnd(["--take-over"]).status == 0)
        for table in GoldenEndToEndTests.tables {
            let found = try TableRows(table, database: job.database, clickHouse)
            #expect(
                rowDifferences(found.rows, expected: found.expected(try GoldenCase.basic.expectedRows(of: table.name), table)) == [],
                "\(table.name)")
        }
    }

    /// Writes a store in the formats that this build writes; the page beside the stores says when.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_JOB_STORE"] != nil))
    func makeAStore() throws {
        let target = try #require(ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_JOB_STORE"])
        try FileManager.default.createDirectory(atPath: "\(target)/delivered", withIntermediateDirectories: true)
        let job = try JobFixture(.directory(log.path), clickHouse, settings: ["checkpoints.interval=1h"])
        for part in GoldenJobTests.parts {
            try layOutInput(upTo: part.read)
            // Without checkpoints at first, so that the first of them is a base with something in it.
            try drained(job, part.checkpoint == 1 ? ["--set", "checkpoints.store=off"] : [], after: part.read)
        }
        let store = ["--store", job.checkpoints, "--job", GoldenJobTests.job]
        for arguments in [["tag", "1", "first"], ["tag", "2", "second"], ["prune", "--keep-last", "1", "--older-than", "0s", "--yes"]] {
            let path = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().appendingPathComponent("checkpoint").path
            let tool = try ChildProcess(path, arguments + store)
            #expect(tool.waitForExit() == 0, "\(tool.errors)")
        }
        try FileManager.default.removeItem(atPath: "\(job.checkpoints)/.incoming")
        try FileManager.default.copyItem(atPath: job.checkpoints, toPath: "\(target)/store")
        for table in GoldenEndToEndTests.tables {
            let rows = try clickHouse.query(
                "SELECT * FROM \(job.database).\(table.name) ORDER BY _lineage, _batch, _row FORMAT TabSeparated")
            try rows.write(toFile: "\(target)/delivered/\(table.name).tsv", atomically: true, encoding: .utf8)
        }
        try GoldenJobTests.parts.map { "\($0.checkpoint) \($0.read)\n" }.joined().write(
            toFile: "\(target)/read.txt", atomically: true, encoding: .utf8)
    }

    /// All topics whole but the transactions. (Sessions are looked up, too, so which there are changes rows.)
    private func layOutInput(upTo count: Int) throws {
        for topic in GoldenCase.streams + GoldenCase.referenceTopics {
            let values = try GoldenCase.basic.input(topic)[0].prefix(topic == GoldenCase.streams[0] ? count : .max)
            try Data(values.flatMap { $0 + [UInt8(ascii: "\n")] }).write(to: URL(fileURLWithPath: log.file("\(topic).jsonl")))
        }
    }

    /// Runs the worker until it has read so many transactions, and has it drain.
    private func drained(_ job: JobFixture, _ more: [String], after count: Int) throws {
        let worker = try job.start(more)
        let client = try HTTPClient()
        try waitUntil("\(count) transactions are read") {
            guard worker.isRunning else { throw WaitedTooLong(description: "the worker ended: \(worker.errors)") }
            guard let page = worker.errors.firstMatch(of: /status page at (http:\S+\/)/) else { return false }
            let answer = try client.perform(HTTPRequest(.get, url: "\(page.1)status"))
            guard let status = try? JSONDecoder().decode(StatusSnapshot.self, from: Data(answer.text.utf8)) else { return false }
            return status.partitions.contains { $0.topic == GoldenCase.streams[0] && $0.nextOffset == Int64(count) }
                && status.partitions.allSatisfy { $0.lag ?? 0 == 0 }
        }
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
    }
}
