import Foundation
import TestSupport
import Testing

@Suite("Promise 7: a start on a full disk waits, and goes on by itself when there is room")
struct FullStartTests {
    private let clickHouse: ClickHouseServer
    private let log: TemporaryDirectory
    private let job: JobFixture
    /// Less than any state file, and more than what a start says of it.
    private static let limit = 32 << 10

    init() throws {
        clickHouse = try ClickHouseServer()
        log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        job = try JobFixture(.directory(log.path), clickHouse)
    }

    /// Starts a worker that can't write beyond the limit of any file, which looks like a full disk to it, until it says so.
    private func startOnFullDisk(_ more: [String] = []) throws -> ChildProcess {
        let command = "trap '' XFSZ; ulimit -S -f \(FullStartTests.limit >> 10); exec \"$0\" \"$@\""
        let worker = try ChildProcess("/bin/bash", ["-c", command, TidemarkBinary.path] + job.arguments("run", ["--until-end"] + more))
        try waitUntil("the start waits") {
            try #require(worker.isRunning, "\(worker.errors)")
            return worker.errors.contains("the start waits for room on a disk")
        }
        return worker
    }

    private func expectGoingOn(_ worker: ChildProcess) throws {
        #expect(worker.errors.components(separatedBy: "the start waits for room").count == 2, "said once: \(worker.errors)")
        try worker.liftFileLimit()
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        #expect(worker.errors.contains("the start goes on"), "\(worker.errors)")
    }

    @Test func aNewStateAndARestoredOneAreMadeOnceThereIsRoom() throws {
        try expectGoingOn(try startOnFullDisk())
        let rows = try job.rowCount("customer_transaction_metrics")
        #expect(rows > 0)
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        let restoring = try startOnFullDisk(["--take-over"])
        #expect(restoring.errors.contains("restoring checkpoint"), "\(restoring.errors)")
        try expectGoingOn(restoring)
        #expect(try job.rowCount("customer_transaction_metrics") == rows)
        for table in GoldenEndToEndTests.tables { #expect(try job.provenanceProblems(table.name) == []) }
    }

    @Test func aStopSignalEndsAStartThatWaits() throws {
        let worker = try startOnFullDisk()
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        #expect(worker.errors.contains("stopped while it was starting"), "\(worker.errors)")
        try expectGoingOn(try startOnFullDisk())
    }
}
