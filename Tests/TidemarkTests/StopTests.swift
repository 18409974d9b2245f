import Foundation
import TestSupport
import Testing

@Suite("SIGTERM drains, drain.timeout bounds it, and a second signal ends the process at once")
struct StopTests {
    /// A worker whose first INSERT gets no answer, so that a drain has to wait.
    private struct Stalled {
        let clickHouse: ClickHouseServer
        let log: TemporaryDirectory
        let proxy: FaultProxy
        let job: JobFixture
        let worker: ChildProcess

        init(drainTimeout: String) throws {
            clickHouse = try ClickHouseServer()
            log = try TemporaryDirectory("tidemark-log")
            try GoldenCase.basic.layOutInput(in: log.path)
            proxy = try FaultProxy(to: clickHouse.port)
            proxy.meet(Array(repeating: .stall, count: 10))
            job = try JobFixture(.directory(log.path), clickHouse)
            worker = try job.start(["--set", "clickhouse.url=\(proxy.url)", "--set", "drain.timeout=\(drainTimeout)"])
            try waitUntil("an INSERT is under way") { [proxy, worker] in
                guard worker.isRunning else { throw WaitedTooLong(description: "the worker ended: \(worker.errors)") }
                return proxy.chosenSeen > 0
            }
            worker.send(SIGTERM)
            try waitUntil("the worker drains") { [worker] in worker.errors.contains("draining") }
        }
    }

    @Test func whatCanNotBeDeliveredInTimeStaysInTheOutbox() throws {
        let stalled = try Stalled(drainTimeout: "1s")
        #expect(stalled.worker.waitForExit() == 3, "\(stalled.worker.errors)")
        #expect(stalled.worker.errors.contains("stay in the outbox"))
        try expectWholeTables(stalled)
    }

    @Test func aStartThatWaitsForKafkaEndsAtTheFirstSignal() throws {
        let clickHouse = try ClickHouseServer()
        let job = try JobFixture(.kafka("127.0.0.1:\(freePort())"), clickHouse)
        let worker = try job.start()
        try waitUntil("the worker waits for Kafka") { worker.errors.contains("status page at") }
        worker.send(SIGTERM)
        let asked = Date()
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        #expect(Date().timeIntervalSince(asked) < 10 && worker.errors.contains("stopped while it was starting"), "\(worker.errors)")
    }

    @Test func aStartThatIsStoppedSaysThatRowsWait() throws {
        let stalled = try Stalled(drainTimeout: "1s")
        #expect(stalled.worker.waitForExit() == 3, "\(stalled.worker.errors)")
        let proxy = try FaultProxy(to: stalled.clickHouse.port) { _ in true }
        proxy.meet(Array(repeating: .stall, count: 100))
        let worker = try stalled.job.start(["--set", "clickhouse.url=\(proxy.url)"])
        try waitUntil("the start asks ClickHouse") { proxy.chosenSeen > 0 }
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 3, "\(worker.errors)")
        #expect(worker.errors.contains("bytes of rows and messages wait on"), "\(worker.errors)")
        try expectWholeTables(stalled)
    }

    @Test func aSecondSignalEndsItAtOnce() throws {
        let stalled = try Stalled(drainTimeout: "10m")
        #expect(stalled.worker.isRunning)
        stalled.worker.send(SIGINT)
        #expect(stalled.worker.waitForExit() == 130, "\(stalled.worker.errors)")
        try expectWholeTables(stalled)
    }

    /// Nothing is lost or twice once the job has gone on.
    private func expectWholeTables(_ stalled: Stalled) throws {
        let finished = try stalled.job.runUntilEnd()
        #expect(finished.status == 0, "\(finished.errors)")
        for table in GoldenEndToEndTests.tables {
            let expected = try GoldenCase.basic.expectedRows(of: table.name).count
            #expect(try stalled.job.rowCount(table.name) == expected, "\(table.name)")
            #expect(try stalled.job.provenanceProblems(table.name) == [])
        }
    }
}
