import Foundation
import TestSupport
import Testing

@Suite("Promise 7: an outage means back-pressure: no growth, no loss, nothing late because of it, and it resumes by itself", .serialized)
struct OutageTests {
    private static let settings = [
        "time.idleAfter=2s", "outbox.limit=1MiB", "clickhouse.flushInterval=200ms", "epoch.interval=100ms", "epoch.maxRecords=20000",
    ]
    private static let transactions = 60_000

    /// A worker under load: 16 partitions filled at 10,000 records a second.
    private struct Load {
        let clickHouse: ClickHouseServer
        let broker: DevelopmentBrokerProcess
        let generator: ChildProcess
        let job: JobFixture
        let worker: ChildProcess

        init() throws {
            clickHouse = try ClickHouseServer()
            broker = try DevelopmentBrokerProcess(
                topics: GoldenCase.streams.map { "\($0):16" } + GoldenCase.referenceTopics.map { "\($0):1" })
            job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: OutageTests.settings)
            generator = try TidemarkBinary.start([
                "generate", "--brokers", broker.brokers, "--transactions", "\(OutageTests.transactions)", "--partitions", "16",
                "--rate", "10000", "--speedup", "100", "--sessions-first", "--customers", "3000", "--seed", "7",
            ])
            try broker.waitForTransactions(2000, partitions: 16)
            let job = job
            worker = try job.startIgnoringFileLimits()
            try waitUntil("rows arrive") { ((try? job.rowCount("customer_transaction_metrics")) ?? 0) > 0 }
        }

        /// Ends the generator and the worker, reads the rest, and compares with a run that nothing disturbed.
        func finishAndCompare() throws {
            #expect(generator.waitForExit() == 0, "\(generator.errors)")
            worker.send(SIGTERM)
            #expect(worker.waitForExit() == 0, "\(worker.errors)")
            let finished = try job.runUntilEnd()
            #expect(finished.status == 0, "\(finished.errors)")
            let reference = try JobFixture(.kafka(broker.brokers), clickHouse)
            #expect(try reference.runUntilEnd().status == 0)
            for table in GoldenEndToEndTests.tables {
                #expect(try job.rowCount(table.name) == reference.rowCount(table.name), "\(table.name)")
                #expect(try job.rowsThatDiffer(from: reference, table) == 0, "\(table.name)")
                #expect(try job.provenanceProblems(table.name) == [])
            }
        }
    }

    @Test func clickHouseIsDownForLongerThanAPartitionTakesToBeIdle() throws {
        let load = try Load()
        load.clickHouse.kill()
        try waitUntil("reading is held back") { load.worker.errors.contains("reading is held back") }
        let atStart = try load.worker.residentKilobytes()
        let end = Date(timeIntervalSinceNow: 5)
        try waitUntil("five seconds have passed without the memory growing") {
            let now = try load.worker.residentKilobytes()
            #expect(now < atStart + 64 << 10, "\(atStart) KiB grew to \(now) KiB")
            return Date() > end
        }
        try load.clickHouse.start()
        try waitUntil("reading goes on") { load.worker.errors.contains("reading goes on") }
        try load.finishAndCompare()
    }

    @Test func theBrokerIsDownForLongerThanAPartitionTakesToBeIdle() throws {
        let load = try Load()
        // A stopped broker answers nobody and loses nothing.
        load.broker.process.send(SIGSTOP)
        let rows = try load.job.rowCount("customer_transaction_metrics")
        let end = Date(timeIntervalSinceNow: 6)
        try waitUntil("six seconds have passed") { Date() > end }
        #expect(load.worker.isRunning, "\(load.worker.errors)")
        load.broker.process.send(SIGCONT)
        try waitUntil("rows arrive again") { try load.job.rowCount("customer_transaction_metrics") > rows }
        try load.finishAndCompare()
    }

    @Test func theDiskUnderTheStateIsFull() throws {
        let load = try Load()
        try load.worker.limitFiles(to: 1 << 20)
        try waitUntil("the worker says that the state can't be written") { load.worker.errors.contains("can't write the state file") }
        let rows = try load.job.rowCount("customer_transaction_metrics")
        let atStart = try load.worker.residentKilobytes()
        let end = Date(timeIntervalSinceNow: 4)
        try waitUntil("four seconds have passed without the memory growing") {
            let now = try load.worker.residentKilobytes()
            #expect(now < atStart + 96 << 10, "\(atStart) KiB grew to \(now) KiB")
            return Date() > end
        }
        try load.worker.liftFileLimit()
        try waitUntil("rows arrive again") { try load.job.rowCount("customer_transaction_metrics") > rows }
        try load.finishAndCompare()
    }
}

extension JobFixture {
    /// Starts the worker so that a write beyond a limit on the size of files is an error and not its end.
    func startIgnoringFileLimits() throws -> ChildProcess {
        let command = "trap '' XFSZ; exec \"$0\" \"$@\""
        return try ChildProcess("/bin/bash", ["-c", command, TidemarkBinary.path] + arguments("run", []))
    }
}

extension ChildProcess {
    func residentKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }

    /// From now on the process can't write beyond so many bytes of any file, which looks like a full disk to it.
    func limitFiles(to bytes: Int) throws { try setFileLimit("\(bytes)") }

    func liftFileLimit() throws { try setFileLimit("unlimited") }

    private func setFileLimit(_ limit: String) throws {
        let change = try ChildProcess("/usr/bin/prlimit", ["--fsize=\(limit):unlimited", "--pid", "\(processID)"])
        #expect(change.waitForExit() == 0, "\(change.errors)")
    }
}
