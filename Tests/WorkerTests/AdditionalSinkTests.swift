import Engine
import SQLiteState
import Simulation
import TestSupport
import Testing
import Worker

@Suite("A second sink gets every row once, with batches of its own, and holds up nobody")
struct AdditionalSinkTests {
    private static func expectRows(
        _ bench: Bench, of sink: MemorySink, _ values: [[String]], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let differences = SimulationChecks.differences(sink.rows, PurchaseReference.rows(of: bench.job, values))
        #expect(differences.prefix(20) == [], sourceLocation: sourceLocation)
    }

    @Test func bothSinksHaveEveryRow() throws {
        let bench = try Bench(.everything, partitions: 2)
        bench.hasAdditionalSink = true
        let values = (0..<2).map { Bench.purchases($0, seconds: 0..<300) }
        bench.append(values)
        try bench.runToEnd()
        bench.expectRows(values)
        AdditionalSinkTests.expectRows(bench, of: bench.additionalSink, values)
        #expect(bench.additionalSink.deliveries.allSatisfy { $0.id.table.hasSuffix("@further") })
        #expect(bench.sink.deliveries.allSatisfy { !$0.id.table.contains("@") })
    }

    @Test func aSinkThatIsDownHoldsUpOnlyItself() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.hasAdditionalSink = true
        bench.additionalSink.setDown(true)
        bench.settings.drainTimeout = .milliseconds(300)
        let values = [Bench.purchases(0, seconds: 0..<300)]
        bench.append([Array(values[0].prefix(700))])
        let running = try bench.start(untilEnd: false)
        try waitUntil("the first sink has rows") { !bench.sink.deliveries.isEmpty }
        let first = bench.sink.deliveries.count
        bench.append([Array(values[0].dropFirst(700))])
        try waitUntil("the first sink has more rows") { bench.sink.deliveries.count > first && bench.source.readCount == values[0].count }
        #expect(!running.status.isReadingHeld)
        #expect(bench.additionalSink.deliveries.isEmpty)
        #expect(
            running.status.outbox.contains { $0.table.hasSuffix("@further") && $0.frozenRows > 0 },
            "the status shows what waits for the second")
        running.drain()
        guard case .undelivered = try running.wait() else {
            Issue.record("rows of the second sink were left")
            return
        }
        bench.additionalSink.setDown(false)
        try bench.runToEnd()
        bench.expectRows(values)
        AdditionalSinkTests.expectRows(bench, of: bench.additionalSink, values)
        #expect(
            bench.sink.deliveries.count == Set(bench.sink.deliveries.map(\.id)).count,
            "the first sink gets nothing twice because of the second")
    }

    @Test func aSecondSinkThatIsFullHoldsReadingAtTheOutboxLimit() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.hasAdditionalSink = true
        bench.additionalSink.setDown(true)
        bench.settings.epochRecords = 150
        bench.settings.outboxLimits = Outbox.Limits(batchRows: 50, batchBytes: 1 << 20, bytes: 4_000)
        let values = [Bench.purchases(0, seconds: 0..<2_000)]
        bench.append(values)
        let running = try bench.start(untilEnd: false)
        try waitUntil("reading is held") { running.status.isReadingHeld }
        try waitUntil("the first sink gets its rows") { !bench.sink.deliveries.isEmpty }
        bench.additionalSink.setDown(false)
        try waitUntil("all is read") { bench.source.readCount == values[0].count }
        running.drain()
        #expect(try running.wait() == .complete)
        try bench.runToEnd()
        bench.expectRows(values)
        AdditionalSinkTests.expectRows(bench, of: bench.additionalSink, values)
    }

    @Test func switchedOnItBeginsWithTheRowsFromThenOn() throws {
        let bench = try Bench(.windowed, partitions: 1)
        let (early, late) = ([Bench.purchases(0, seconds: 0..<120)], [Bench.purchases(0, seconds: 120..<240)])
        bench.append(early)
        try bench.runToEnd()
        let before = Set(bench.sink.rows)
        bench.hasAdditionalSink = true
        bench.append(late)
        try bench.runToEnd()
        let since = bench.sink.rows.filter { !before.contains($0) }.map(\.text).sorted()
        #expect(!since.isEmpty && bench.additionalSink.rows.map(\.text).sorted() == since)
    }

    @Test func switchedOffItLosesNothingThatWaits() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.hasAdditionalSink = true
        bench.additionalSink.setDown(true)
        bench.settings.drainTimeout = .milliseconds(300)
        let values = [Bench.purchases(0, seconds: 0..<100)]
        bench.append(values)
        let running = try bench.start(untilEnd: false)
        try waitUntil("rows wait for the second sink") {
            running.status.outbox.contains { $0.table.hasSuffix("@further") && $0.frozenRows > 0 }
        }
        running.drain()
        #expect(try running.wait() != .complete && bench.additionalSink.rows.isEmpty)
        bench.hasAdditionalSink = false
        let failure = try bench.start(untilEnd: true).waitForFailure()
        #expect(failure.kind == .incompatible && failure.message.contains("output further"), "\(failure.message)")
        bench.hasAdditionalSink = true
        bench.additionalSink.setDown(false)
        try bench.runToEnd()
        AdditionalSinkTests.expectRows(bench, of: bench.additionalSink, values)
        bench.hasAdditionalSink = false
        try bench.runToEnd()
        bench.hasAdditionalSink = true
        let numbers = bench.additionalSink.deliveries.count
        bench.append([Bench.purchases(0, seconds: 200..<300)])
        try bench.runToEnd()
        #expect(bench.additionalSink.deliveries.count > numbers)
        #expect(
            SimulationChecks.differences(bench.additionalSink.rows, bench.additionalSink.rows.map(\.text)) == [],
            "numbers go on where they were")
    }
}
