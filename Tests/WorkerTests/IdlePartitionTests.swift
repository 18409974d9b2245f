import Engine
import TestSupport
import Testing
import Worker

@Suite("Idle partitions: 64 quiet partitions and a busy one close their windows, without the wall clock")
struct IdlePartitionTests {
    private static let quiet = 64

    /// A bench with a few purchases in every partition, and a worker that reads them.
    private func started() throws -> (Bench, RunningWorker, [[String]]) {
        let bench = try Bench(.windowed, partitions: IdlePartitionTests.quiet + 1)
        bench.settings.idleAfter = .milliseconds(400)
        let values = (0...IdlePartitionTests.quiet).map { Bench.purchases($0, seconds: 0..<3) }
        bench.append(values)
        return (bench, try bench.start(untilEnd: false), values)
    }

    private func rowCount(_ bench: Bench) -> Int { bench.sink.rows.count }

    @Test func theBusyPartitionsWatermarkClosesTheWindowsOfTheQuietOnes() throws {
        let (bench, running, values) = try started()
        // Only the last partition goes on; it is never quiet for long enough to be idle itself.
        var all = values
        var second = 3
        let windows = PurchaseReference.rows(of: .windowed, values).count
        try waitUntil("the windows of the quiet partitions are delivered") {
            let more = Bench.purchases(IdlePartitionTests.quiet, seconds: second..<(second + 1))
            all[IdlePartitionTests.quiet] += more
            bench.source.append(more, to: Bench.partition(IdlePartitionTests.quiet))
            second += 1
            return rowCount(bench) >= windows
        }
        let status = running.status
        let busy = try #require(status.tasks.first { $0.id.partition == IdlePartitionTests.quiet })
        for task in status.tasks where task.id.partition < IdlePartitionTests.quiet { #expect(task.watermark <= busy.watermark) }
        running.drain()
        #expect(try running.wait() == .complete)
        try bench.runToEnd()
        bench.expectRows(all)
    }

    @Test func whenAllAreQuietTheLastWindowClosesAndTheWatermarkStaysThere() throws {
        let (bench, running, values) = try started()
        try waitUntil("the windows are delivered") { rowCount(bench) == PurchaseReference.rows(of: .windowed, values).count }
        let epoch = running.status.epoch.number
        try waitUntil("time passes") { running.status.epoch.number > epoch + 30 }
        #expect(Set(running.status.tasks.map(\.watermark.milliseconds)) == [1_700_000_010_000])
        running.drain()
        _ = try running.wait()
        bench.expectRows(values)
    }

    @Test func whileTheLeadersAreSilentNothingIsIdle() throws {
        let bench = try Bench(.windowed, partitions: 2)
        bench.settings.idleAfter = .milliseconds(50)
        bench.source.silenceLeaders(true)
        let values = [Bench.purchases(0, seconds: 0..<3), Bench.purchases(1, seconds: 0..<3)]
        bench.append(values)
        let running = try bench.start(untilEnd: false)
        try waitUntil("all is read") { bench.source.readCount == 30 }
        let epoch = running.status.epoch.number
        try waitUntil("time passes") { running.status.epoch.number > epoch + 30 }
        #expect(bench.sink.rows.isEmpty)
        bench.source.silenceLeaders(false)
        try waitUntil("the windows are delivered") { rowCount(bench) == PurchaseReference.rows(of: .windowed, values).count }
        running.drain()
        _ = try running.wait()
    }

    @Test func anEmptyPartitionFollowsAndKeepsNoWindowOfTheOthersOpen() throws {
        // Windows of the second stage close only when every sender has come past them.
        let bench = try Bench(.merged, partitions: 2)
        bench.settings.idleAfter = .milliseconds(200)
        let running = try bench.start(untilEnd: false)
        var values: [[String]] = [[], []]
        var second = 0
        try waitUntil("a window of the second stage is delivered") {
            let more = Bench.purchases(0, seconds: second..<(second + 1))
            values[0] += more
            bench.source.append(more, to: Bench.partition(0))
            second += 1
            return rowCount(bench) > 0
        }
        let empty = try #require(running.status.tasks.first { $0.id.stage == "purchases" && $0.id.partition == 1 })
        #expect(empty.counters.records == 0 && empty.watermark.milliseconds >= 1_700_000_000_000)
        running.drain()
        _ = try running.wait()
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func aWatermarkThatWasRaisedIsKeptSoThatWhatComesLaterIsLate() throws {
        let bench = try Bench(.windowed, partitions: 2)
        bench.settings.idleAfter = .milliseconds(100)
        let values = [Bench.purchases(0, seconds: 0..<3), Bench.purchases(1, seconds: 0..<3)]
        bench.append(values)
        let running = try bench.start(untilEnd: false)
        let windows = PurchaseReference.rows(of: .windowed, values).count
        try waitUntil("the windows are delivered") { rowCount(bench) == windows }
        running.drain()
        _ = try running.wait()
        // Only that all were idle has closed this window: by its own records the watermark would be before its end.
        bench.source.append(["c0-0 s0 1 1700000009999", "c0-0 s0 7 1700000010000"], to: Bench.partition(0))
        try bench.runToEnd()
        let later = bench.sink.rows.map(\.text).sorted().filter { !PurchaseReference.rows(of: .windowed, values).contains($0) }
        #expect(later == ["customer_totals c0-0 1700000020000 1 7", "rejected_records purchases 0 15 late  c0-0 s0 1 1700000009999 0"])
    }
}
