import CurlHTTP
import Engine
import Foundation
import TestSupport
import Testing

@Suite("Topics that get more partitions: the tables hold what they would have held without", .serialized)
struct RepartitionTests {
    private static let topics = GoldenCase.streams

    @Test func whileTrafficGoesOn() throws {
        try grow(to: 4) { job, _ in
            // Part of what comes later is in the old partitions, and read there while the state is still of the old number.
            let run = try job.run("run", ["--before-repartition"])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.errors.contains("has grown from 2 to 4 partitions"))
        }
    }

    @Test func whileNothingComes() throws {
        try grow(to: 3) { job, _ in
            let run = try job.run("run", ["--before-repartition"])
            #expect(run.status == 1 && run.errors.contains("which is no multiple"), "\(run.errors)")
        }
    }

    private func grow(to partitions: Int, before: (JobFixture, GrowingLog) throws -> Void) throws {
        let clickHouse = try ClickHouseServer()
        let log = try GrowingLog()
        let settings = ["input.deduplicate.by=id", "clickhouse.flushInterval=100ms"]
        let steady = try JobFixture(.directory(log.steady.path), clickHouse, settings: settings)
        let undisturbed = try steady.runUntilEnd()
        #expect(undisturbed.status == 0, "\(undisturbed.errors)")

        let job = try JobFixture(.directory(log.growing.path), clickHouse, settings: settings)
        try readEverything(job, log)
        try log.grow(to: partitions)
        let refused = try job.runUntilEnd()
        #expect(refused.status == 1)
        for part in [
            "has \(partitions) partitions, the state was built with 2", "--before-repartition",
            "checkpoint repartition latest --topic \(Self.topics[0]) --partitions \(partitions)",
        ] {
            #expect(refused.errors.contains(part), "'\(part)' is missing in: \(refused.errors)")
        }
        let check = try job.run("check")
        #expect(check.status == 2 && check.output.contains("Bring the state to \(partitions)"), "\(check.output)")
        try before(job, log)

        let (first, second) = (job.directory.file("first"), job.directory.file("second"))
        let asserted = partitions % 2 == 0 ? [] : ["--drained"]
        if !asserted.isEmpty {
            let unread = try checkpoint([
                "repartition", "latest", "--topic", Self.topics[0], "--partitions", "\(partitions)", "--to", first, "--config",
                job.configuration,
            ])
            #expect(unread.status == 1 && unread.errors.contains("--drained"), "\(unread.errors)")
        }
        let arguments = asserted + ["--partitions", "\(partitions)", "--to", first, "--config", job.configuration]
        let unnamed = try checkpoint(["repartition", "latest"] + arguments)
        #expect(unnamed.status == 1 && unnamed.errors.contains(Self.topics.sorted().joined(separator: ", ")), "\(unnamed.errors)")
        let transactions = try checkpoint(["repartition", "latest", "--topic", Self.topics[0]] + arguments)
        #expect(transactions.status == 0, "\(transactions.errors)")
        let moved = transactions.output.split(separator: "\n").map { $0.split(separator: " ") }
        for (table, placement) in [
            ("fraud_detection_alerts", "moves"), ("merchant_partials", "stays"), ("merchant_customers", "copied"),
            ("transaction_ids", "copiedByNumber"),
        ] {
            #expect(
                moved.contains { $0.first?.hasSuffix(".\(table)") == true && $0.dropFirst(2).first ?? "" == placement },
                "\(table) in:\n\(transactions.output)")
        }
        let sessions = try checkpoint(
            ["repartition", first, "--topic", Self.topics[1], "--partitions", "\(partitions)", "--to", second] + asserted)
        #expect(sessions.status == 0, "\(sessions.errors)")

        let last = try job.runUntilEnd(["--set", "state.directory=\(second)"])
        #expect(last.status == 0, "\(last.errors)")
        for table in GoldenEndToEndTests.tables {
            #expect(try job.rowCount(table.name) > 0, "\(table.name)")
            #expect(try job.rowCount(table.name) == steady.rowCount(table.name), "\(table.name)")
            #expect(try job.rowsThatDiffer(from: steady, table) == 0, "\(table.name)")
            #expect(try job.provenanceProblems(table.name) == [])
        }
        let verified = try checkpoint(["verify", "latest", "--config", job.configuration])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
        let repeated = try job.runUntilEnd(["--set", "state.directory=\(second)"])
        #expect(repeated.status == 0, "\(repeated.errors)")
    }

    /// Runs the job until it has read what there is, and stops it as a supervisor would.
    private func readEverything(_ job: JobFixture, _ log: GrowingLog) throws {
        let worker = try job.start()
        let page = try statusPage(of: worker)
        try waitUntil("\(log.records) records are read") {
            let metrics = try HTTPClient().perform(HTTPRequest(.get, url: page + "metrics")).text.split(separator: "\n")
            let read = metrics.filter { $0.hasPrefix("tidemark_records_total{") }
            return read.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) == log.records
        }
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
    }

    private func checkpoint(_ arguments: [String]) throws -> FinishedRun {
        let tool = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().appendingPathComponent("checkpoint").path
        let process = try ChildProcess(tool, arguments)
        let status = process.waitForExit()
        return FinishedRun(status: status, output: process.output, errors: process.errors)
    }
}
