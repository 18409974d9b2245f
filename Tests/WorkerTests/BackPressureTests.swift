import Engine
import Simulation
import TestSupport
import Testing
import Worker

@Suite("Promise 7: a sink that is down or a full disk holds reading back: no growth, no loss, nothing late, and it goes on by itself")
struct BackPressureTests {
    @Test func aSinkThatIsDownHoldsReadingBackAndNothingIsLate() throws {
        let bench = try Bench(.windowed, partitions: 3)
        bench.settings.idleAfter = .milliseconds(200)
        bench.settings.epochRecords = 150
        bench.settings.outboxLimits = Outbox.Limits(batchRows: 50, batchBytes: 1 << 20, bytes: 4_000)
        // The second partition is far behind the first when reading is held; the third has its records only later.
        var values = [Bench.purchases(0, seconds: 0..<2_000), Bench.purchases(1, seconds: 0..<1_000), []]
        bench.sink.setDown(true)
        bench.append(values)
        let running = try bench.start(untilEnd: false)
        try waitUntil("reading is held") { running.status.isReadingHeld }
        let held = bench.source.readCount
        let epoch = running.status.epoch.number
        // Longer than it takes to be idle, by the worker's own epochs.
        try waitUntil("time passes") { running.status.epoch.number > epoch + 30 }
        #expect(bench.source.readCount - held <= 2 * 4096 && bench.source.readCount < 15_000 - 1_000)
        // Rows of one more epoch may follow the one that went over the limit.
        #expect(running.status.outboxBytes < 200_000)
        #expect(bench.sink.deliveries.isEmpty)
        values[2] = Bench.purchases(2, seconds: 100..<300)
        bench.append([[], [], values[2]])
        bench.sink.setDown(false)
        try waitUntil("all is read") { bench.source.readCount == values.reduce(0) { $0 + $1.count } }
        running.drain()
        #expect(try running.wait() == .complete)
        #expect(!running.status.isReadingHeld)
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func aDrainThatRunsOutOfTimeLeavesTheRowsForTheNextStart() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.settings.drainTimeout = .milliseconds(200)
        let values = [Bench.purchases(0, seconds: 0..<100)]
        bench.append(values)
        bench.sink.setDown(true)
        let running = try bench.start(untilEnd: false)
        try waitUntil("rows wait") { running.status.outbox.contains { $0.frozenRows > 0 } }
        running.drain()
        guard case .undelivered(let bytes) = try running.wait() else {
            Issue.record("nothing was left")
            return
        }
        #expect(bytes > 0 && bench.sink.deliveries.isEmpty)
        bench.sink.setDown(false)
        try bench.runToEnd()
        #expect(bench.sink.deliveries.first?.mayHaveBeenSent == true, "an earlier process may have sent it")
        bench.expectRows(values)
    }

    @Test func aFullDiskHoldsTheEpochBackAndGoesOnByItself() throws {
        let bench = try Bench(.everything, partitions: 2)
        bench.settings.idleAfter = .seconds(600)
        bench.settings.epochRecords = 200
        let disk = try FaultyDisk(bench.directory.path)
        let values = (0..<2).map { Bench.purchases($0, seconds: 0..<400) }
        let running = try bench.start(untilEnd: false)
        try waitUntil("it runs") { running.status.epoch.number > 0 }
        disk.fill()
        bench.append(values)
        try waitUntil("the commit waits") { running.status.problem?.contains("no space left") == true }
        #expect(bench.source.readCount < 4_000, "one more epoch is read, and then no more")
        #expect(bench.sink.deliveries.isEmpty)
        disk.mend()
        try waitUntil("all is read") { bench.source.readCount == 4_000 }
        running.drain()
        #expect(try running.wait() == .complete)
        #expect(running.status.problem == nil)
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func aDrainDoesNotWaitForAFullDiskForEver() throws {
        let bench = try Bench(.everything, partitions: 2)
        bench.settings.drainTimeout = .milliseconds(300)
        let disk = try FaultyDisk(bench.directory.path)
        let values = (0..<2).map { Bench.purchases($0, seconds: 0..<50) }
        let running = try bench.start(untilEnd: false)
        try waitUntil("it runs") { running.status.epoch.number > 0 }
        disk.fill()
        bench.append(values)
        try waitUntil("the commit waits") { running.status.problem?.contains("no space left") == true }
        running.drain()
        guard case .undelivered = try running.wait() else {
            Issue.record("what was read is not durable, so the run is not complete")
            return
        }
        disk.mend()
        try bench.runToEnd()
        bench.expectRows(values)
    }
}
