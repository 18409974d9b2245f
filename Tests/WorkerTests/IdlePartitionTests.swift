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
}
