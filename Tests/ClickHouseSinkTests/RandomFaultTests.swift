import Engine
import Foundation
import Simulation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Promise 2 and 3: whatever faults meet whichever batches, each row is there once", .servers(.debian1816, .engine269))
struct RandomFaultTests {
    private static let faults: [RequestFault] = [
        .cutBody, .dropAnswer, .answerItself(status: 500), .answerItself(status: 503), .exceptionHeader(code: 252), .stall,
        .deliverLate(seconds: 0.05),
    ]

    /// `TIDEMARK_FAULT_SEED` replays a run.
    @Test(arguments: ServerVersion.allCases)
    func manyBatches(version: ServerVersion) throws {
        let seed = ProcessInfo.processInfo.environment["TIDEMARK_FAULT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
        print("random faults on \(version): TIDEMARK_FAULT_SEED=\(seed)")
        var random = SeededRandom(seed: seed)
        let fixture = try SinkFixture(version)
        let proxy = try FaultProxy(to: fixture.server.port)
        var settings = fixture.settings(url: proxy.url, resolveDelay: .milliseconds(200))
        settings.insertTimeout = .milliseconds(400)
        var sink = try fixture.sink(Waves.table, settings: settings)
        var expected: [[String]] = []
        for number in UInt64(1)...12 {
            let names = (0..<Int.random(in: 1...40, using: &random)).map { "w\($0)" }
            proxy.meet((0..<Int.random(in: 0...3, using: &random)).map { _ in RandomFaultTests.faults.randomElement(using: &random)! })
            var mayHaveBeenSent = false
            if Bool.random(using: &random) {
                // A worker that dies somewhere in its first attempts, and another that takes over.
                let limit = ContinuousClock.now + .milliseconds(Int.random(in: 1...500, using: &random))
                let outcome = try sink.deliver(Waves.batch(number, names), mayHaveBeenSent: false, isCancelled: { .now > limit })
                sink = try fixture.sink(Waves.table, settings: settings, lastFrozen: number)
                mayHaveBeenSent = true
                #expect(outcome == .delivered || outcome == .cancelled)
            }
            #expect(try sink.deliver(Waves.batch(number, names), mayHaveBeenSent: mayHaveBeenSent) == .delivered)
            expected += Waves.rows(number, names)
        }
        #expect(try fixture.delivered() == expected, "TIDEMARK_FAULT_SEED=\(seed)")
    }
}
