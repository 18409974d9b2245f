import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Promise 3 and 7: a server that dies and comes back loses and doubles nothing", .serialized, .ownServers(.debian1816, .engine269))
struct RestartTests {
    @Test(arguments: ServerVersion.allCases)
    func killedWhileBatchesAreDelivered(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let sink = try fixture.sink(Waves.table)
        let progress = Mutex<(delivered: Int, failure: String?)>((0, nil))
        let batches = 60
        // Batches large enough that a kill falls into one's transfer now and then.
        let names = (0..<4_000).map { "wave \($0)" }
        let delivering = Thread {
            do {
                for number in 1...batches {
                    try sink.deliver(Waves.batch(UInt64(number), names))
                    progress.withLock { $0.delivered += 1 }
                }
            } catch {
                progress.withLock { $0.failure = "\(error)" }
            }
        }
        delivering.start()
        for kill in 1...3 {
            try waitUntil("batch \(kill * 15) is delivered") { progress.withLock { $0.delivered >= kill * 15 || $0.failure != nil } }
            fixture.server.kill()
            try waitUntil("the sink says that it waits") { sink.status[0].state != .sending || progress.withLock { $0.failure != nil } }
            try fixture.server.start()
        }
        try waitUntil("all batches are delivered") { progress.withLock { $0.delivered == batches || $0.failure != nil } }
        #expect(progress.withLock { $0.failure } == nil)
        let found = try fixture.server.rows("SELECT count(), uniqExact(_batch, _row), uniqExact(_batch) FROM \(fixture.database).waves")
        #expect(found == [["240000", "240000", "60"]])
    }

    @Test("While the server is down nothing is counted, nothing fails, and cancelling ends the wait")
    func downForLong() throws {
        let fixture = try SinkFixture(.engine269)
        let proxy = try FaultProxy(to: fixture.server.port)
        let sink = try fixture.sink(Waves.table, settings: fixture.settings(url: proxy.url))
        try sink.deliver(Waves.batch(1))
        fixture.server.kill()
        let started = ContinuousClock.now
        // Three resolve delays: quiet time must not be counted while nobody answers.
        let outcome = try sink.deliver(Waves.batch(2), mayHaveBeenSent: true, isCancelled: { .now - started > .milliseconds(900) })
        #expect(outcome == .cancelled)
        #expect(sink.status[0].lastError?.contains("can't be seen") == true)
        try fixture.server.start()
        try sink.deliver(Waves.batch(2), mayHaveBeenSent: true)
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2))
    }

    /// The kernel takes the request for the stopped server, which reads it when it goes on, long after the reset.
    @Test("A server that stands still takes what was given up meanwhile, once", arguments: ServerVersion.allCases)
    func stoodStill(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        var settings = fixture.settings(resolveDelay: .seconds(1))
        settings.insertTimeout = .milliseconds(300)
        settings.queryTimeout = .milliseconds(500)
        let sink = try fixture.sink(Waves.table, settings: settings)
        try sink.deliver(Waves.batch(1))
        fixture.server.send(SIGSTOP)
        defer { fixture.server.send(SIGCONT) }
        let done = Mutex<String?>(nil)
        Thread {
            let outcome = Result { try sink.deliver(Waves.batch(2)) }
            done.withLock { $0 = "\(outcome)" }
        }.start()
        try waitUntil("the sink can't see the server") { sink.status[0].lastError?.contains("can't be seen") == true }
        fixture.server.send(SIGCONT)
        try waitUntil("the batch is delivered") { done.withLock { $0 != nil } }
        #expect(done.withLock { $0?.contains("delivered") } == true)
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2))
    }

    @Test("A server that stands still does not hold up a stop while its table is looked at")
    func stoodStillWhileTheTableWasLookedAt() throws {
        let fixture = try SinkFixture(.debian1816)
        var settings = fixture.settings()
        settings.tableCheckInterval = .zero
        let sink = try fixture.sink(Waves.table, settings: settings)
        fixture.server.send(SIGSTOP)
        defer { fixture.server.send(SIGCONT) }
        let started = ContinuousClock.now
        let outcome = try sink.deliver(Waves.batch(1), mayHaveBeenSent: false, isCancelled: { .now - started > .milliseconds(300) })
        #expect(outcome == .cancelled)
        #expect(.now - started < .seconds(15), "the query alone may take a minute")
    }
}
