import CurlHTTP
import Engine
import Foundation
import Simulation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Transactions that are keyed by id, and those that come again: each counts once, where it belongs")
struct RekeyingTests {
    private static let topic = GoldenCase.streams[0]

    private func expectRefusal(_ run: FinishedRun, saying parts: String...) {
        #expect(run.status == 1, "\(run.errors)")
        for part in parts { #expect(run.errors.contains(part), "'\(part)' is missing in: \(run.errors)") }
    }

    @Test func theSettingCanNotChangeOverAState() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        for (built, set) in [("id", "customer_id"), ("customer_id", "id")] {
            let job = try JobFixture(.directory(log.path), clickHouse)
            let first = try job.runUntilEnd(["--set", "input.keyedBy=\(built)"])
            #expect(first.status == 0, "\(first.errors)")
            for table in GoldenEndToEndTests.tables {
                let found = try TableRows(table, database: job.database, clickHouse)
                let differences = rowDifferences(
                    found.rows, expected: found.expected(try GoldenCase.basic.expectedRows(of: table.name), table))
                #expect(differences.isEmpty, "keyed by \(built), \(table.name):\n\(differences.joined(separator: "\n"))")
            }
            expectRefusal(
                try job.runUntilEnd(["--set", "input.keyedBy=\(set)"]),
                saying: "built with input.keyedBy: \(built)", "\(set) is set now",
                "empty state directory, another checkpoints.store and new tables"
            )
            let check = try job.run("check", ["--set", "input.keyedBy=\(set)"])
            #expect(check.status == 2 && check.output.contains("built with input.keyedBy: \(built)"), "\(check.output)")
            let again = try job.runUntilEnd(["--set", "input.keyedBy=\(built)"])
            #expect(again.status == 0, "\(again.errors)")
        }
    }

    /// A state from before there was a setting for sessions has them as they were read then.
    @Test func aStateThatDoesNotSayHowSessionsAreKeyedGoesOnAsItWas() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse, settings: ["input.keyedBy=id"])
        let first = try job.runUntilEnd(["--set", "input.sessions.keyedBy=customer_id"])
        #expect(first.status == 0, "\(first.errors)")
        do {
            let file = try Database(path: job.stateDirectory + "/state.db")
            for name in ["input.sessions.keyedBy", "input.sessionsWhenEnded"] { try MetaTable(file).remove("setting " + name) }
        }
        expectRefusal(
            try job.runUntilEnd(["--set", "input.sessions.keyedBy=id"]), saying: "built with input.sessions.keyedBy: customer_id",
            "id is set now"
        )
        expectRefusal(try job.runUntilEnd(["--set", "input.sessionsWhenEnded=true"]), saying: "built with input.sessionsWhenEnded: false")
        let check = try job.run("check")
        #expect(check.status == 0, "\(check.output)")
        let second = try job.runUntilEnd()
        #expect(second.status == 0, "\(second.errors)")
    }

    @Test func aTopicThatIsNotKeyedByCustomerStopsTheJob() throws {
        let clickHouse = try ClickHouseServer()
        let log = try generated(transactions: 3000, customers: 1000)
        let lines = try transactions(in: log)
        try spread(lines, over: 4, in: log)
        let job = try JobFixture(.directory(log.path), clickHouse)
        for _ in 0..<2 {
            expectRefusal(
                try job.runUntilEnd(), saying: "is in partitions ", "of topic \(RekeyingTests.topic)", "input.keyedBy: id",
                "message.key.columns"
            )
        }
        let rekeyed = try JobFixture(.directory(log.path), clickHouse, settings: ["input.keyedBy=id"])
        let run = try rekeyed.runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        let counted = try clickHouse.rows("SELECT sum(transactionCount), count() FROM \(rekeyed.database).customer_transaction_metrics")[0]
        #expect(counted[0] == "3000")
    }

    @Test func whatWasDroppedIsCountedOnThePage() throws {
        let clickHouse = try ClickHouseServer()
        let log = try generated(transactions: 500, customers: 50)
        let lines = try transactions(in: log)
        try spread(lines + lines.suffix(70), over: 2, in: log)
        let job = try JobFixture(.directory(log.path), clickHouse, settings: ["input.keyedBy=id", "input.deduplicate.by=id"])
        let worker = try job.start()
        let page = try statusPage(of: worker)
        try waitUntil("the copies are counted") {
            let metrics = try get(page + "metrics").split(separator: "\n").filter {
                $0.hasPrefix("tidemark_skipped_total") && $0.contains("duplicate")
            }
            return metrics.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) == 70
        }
        #expect(try get(page).contains("(duplicate "))
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
    }

    /// The worker is killed while slices of a log come in, in which a tenth of the transactions comes twice, in partitions by
    /// id. Afterwards the tables that don't go by order hold what a job holds that read each transaction once, by customer.
    @Test(.timeLimit(.minutes(5)))
    func whateverIsKilledEachTransactionCountsOnce() throws {
        let seed = ProcessInfo.processInfo.environment["TIDEMARK_KILL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)
        print("re-keying kill test: TIDEMARK_KILL_SEED=\(seed)")
        var random = SeededRandom(seed: seed)
        let clickHouse = try ClickHouseServer()
        let log = try generated(transactions: 40_000, customers: 4_000)
        let plain = try JobFixture(.directory(log.path), clickHouse)
        let undisturbed = try plain.runUntilEnd()
        #expect(undisturbed.status == 0, "\(undisturbed.errors)")

        let lines = doubled(try transactions(in: log), &random)
        #expect(lines.count > 43_000)
        let settings = ["input.keyedBy=id", "input.deduplicate.by=id", "clickhouse.flushInterval=200ms", "epoch.interval=50ms"]
        let job = try JobFixture(.directory(log.path), clickHouse, settings: settings)
        try spread([], over: 8, in: log)
        let kills = 16
        for number in 0..<kills {
            try spread(Array(lines[(lines.count * number / kills)..<(lines.count * (number + 1) / kills)]), over: 8, in: log)
            let worker = try job.start()
            // The moment is the point of this test: any one must do.
            usleep(UInt32.random(in: 100_000...700_000, using: &random))
            #expect(worker.isRunning, "the worker ended by itself: \(worker.errors)")
            worker.send(SIGKILL)
            worker.waitForExit()
        }
        let finished = try job.runUntilEnd()
        #expect(finished.status == 0, "\(finished.errors)")
        for table in GoldenEndToEndTests.tables {
            #expect(try job.provenanceProblems(table.name) == [])
            guard
                ["customer_transaction_metrics", "merchant_performance_analytics", "customer_session_metrics", "rejected_records"].contains(
                    table.name)
            else { continue }
            // Of transactions at the same millisecond the last in the log is another one.
            let columns = table.columns.filter { !$0.name.hasPrefix("lastTransaction") || $0.name == "lastTransactionAt" }
            let ordered = OutputTable(table.name, timeColumn: table.timeColumn, orderBy: table.orderBy, columns: columns)
            #expect(try job.rowCount(table.name) == plain.rowCount(table.name))
            #expect(try job.rowsThatDiffer(from: plain, ordered) == 0, "\(table.name) with seed \(seed)")
        }
        let first = try [job, plain].map { job in
            try clickHouse.rows(
                "SELECT count(), uniqExact(customerId) FROM \(job.database).customer_lifecycle_analytics WHERE eventType = 'FIRST_TRANSACTION'"
            )[0]
        }
        #expect(first[0] == first[1] && first[0][0] == first[0][1])
    }

    private func get(_ url: String) throws -> String {
        let response = try HTTPClient().perform(HTTPRequest(.get, url: url))
        #expect(response.status == 200)
        return response.text
    }

    // MARK: - Logs

    /// A directory of generated traffic, in one partition.
    private func generated(transactions: Int, customers: Int) throws -> TemporaryDirectory {
        let log = try TemporaryDirectory("tidemark-log")
        let run = try TidemarkBinary.run([
            "generate", "--out", log.path, "--transactions", "\(transactions)", "--customers", "\(customers)", "--sessions-first",
        ])
        try #require(run.status == 0, "\(run.errors)")
        return log
    }

    private func transactions(in log: TemporaryDirectory) throws -> [Substring] {
        try String(contentsOfFile: log.file("\(RekeyingTests.topic).jsonl"), encoding: .utf8).split(separator: "\n")
    }

    /// Adds lines to the transactions' partitions, by their ids, in place of the one file.
    private func spread(_ lines: [Substring], over partitions: Int, in log: TemporaryDirectory) throws {
        try? FileManager.default.removeItem(atPath: log.file("\(RekeyingTests.topic).jsonl"))
        try FileManager.default.createDirectory(atPath: log.file(RekeyingTests.topic), withIntermediateDirectories: true)
        var parts = Array(repeating: "", count: partitions)
        for line in lines {
            let id = try #require(line.firstMatch(of: /"id":"([^"]+)"/)).1
            let partition = Array(id.utf8).withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: partitions) }
            parts[partition] += line + "\n"
        }
        for (number, part) in parts.enumerated() {
            let path = log.file("\(RekeyingTests.topic)/\(number).jsonl")
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(part.utf8))
            try file.close()
        }
    }

    /// Puts copies of a tenth of the lines anywhere behind them.
    private func doubled(_ lines: [Substring], _ random: inout SeededRandom) -> [Substring] {
        var all = lines.enumerated().map { (place: Double($0), line: $1) }
        for (number, line) in lines.enumerated() where random.percent(10) {
            all.append((Double(random.number(in: number...lines.count)) + 0.5, line))
        }
        return all.sorted { $0.place < $1.place }.map(\.line)
    }
}
