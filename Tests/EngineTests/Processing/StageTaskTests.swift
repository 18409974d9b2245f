import Engine
import Testing

@Suite("A task closes windows by its watermark, counts late records once, and hands over exactly what changed")
struct StageTaskTests {
    @Test func aWindowClosesWhenTheWatermarkReachesItsEnd() throws {
        var clicks = ClickTask()
        try clicks.process(["home 1000", "home 59999", "shop 2000", "home 64999"])
        #expect(clickRows(clicks.cut().rows).isEmpty, "the watermark is 59,999: one short of the end")
        try clicks.process(["home 65000"])
        #expect(clickRows(clicks.cut().rows) == ["home 60000 2", "shop 60000 1"])
    }

    @Test func aRecordBehindTheWatermarkIsLateAndRejectedOnce() throws {
        var clicks = ClickTask()
        try clicks.process(["home 65000", "home 59999", "home 60000"])
        let cut = clicks.cut()
        #expect(cut.rows.map(\.id.table) == ["rejected_records"])
        #expect(clicks.task.counters.late == 1)
        try clicks.process(["home 200000"])
        #expect(clickRows(clicks.cut().rows) == ["home 120000 2"])
    }

    @Test func everyRecordThatCanNotBeUsedIsRejected() throws {
        var clicks = ClickTask()
        try clicks.process(["nonsense", "home x", "home 1000"])
        #expect(clicks.cut().rows.reduce(0) { $0 + $1.rowCount } == 2)
        #expect(clicks.task.counters.rejected == 2)
    }

    @Test(
        "a bad record never stops the job: not with a timestamp that no table can hold, either",
        arguments: [
            (Int64.max, Int64(4_291_747_199_999)), (1_736_942_400_000_000, 4_291_747_199_999), (-1, 0), (.min, 0),
            (1_736_942_400_000, 1_736_942_400_000),
        ])
    func aRejectedRecordsTimeFitsTheTable(timestamp: Int64, expected: Int64) throws {
        var clicks = ClickTask()
        try clicks.process(["nonsense"], timestamp: EventTime(milliseconds: timestamp))
        let chunk = try #require(clicks.cut().rows.first)
        let written: Int64 = chunk.bytes.withUnsafeBytes { bytes in
            var reader = RowReader(ByteView(bytes))
            for column in RejectedRecords.table.columns.dropLast() { reader.skip(column.type) }
            return reader.time().milliseconds
        }
        #expect(written == expected)
        #expect(chunk.partition == RowPartitioning.month.partition(of: EventTime(milliseconds: expected)))
    }

    @Test("a task that has read nothing remembers the end it stood at, so that what comes while it is away is not skipped")
    func whereNothingWasReadIsAPositionToo() throws {
        var clicks = ClickTask()
        #expect(clicks.cut().position == nil)
        clicks.task.reachedEnd(next: 100)
        #expect(clicks.cut().position == SourcePosition(next: 100, last: nil))
        try clicks.process(["home 1000"])
        let position = try #require(clicks.cut().position)
        clicks.task.reachedEnd(next: position.next)
        #expect(clicks.cut().position == nil, "\(position) stays")
    }

    @Test("what ends transactions, and what was aborted, is behind a task that stands at the end: its lag is 0")
    func theEndBehindWhatNobodyReadsIsAPosition() throws {
        var clicks = ClickTask()
        try clicks.process(["home 1000"])
        let read = try #require(clicks.cut().position)
        clicks.task.reachedEnd(next: read.next + 3)
        #expect(clicks.cut().position == SourcePosition(next: read.next + 3, last: read.last))
        clicks.task.reachedEnd(next: read.next)
        #expect(clicks.cut().position == nil, "it never moves back")
    }

    @Test func anotherTaskGoesOnFromTheDeltasAlone() throws {
        var first = ClickTask()
        try first.process(["home 1000", "shop 2000"])
        let one = first.cut()
        try first.process(["home 3000", "home 61000"])
        let two = first.cut()
        #expect(two.position?.next == 4)

        var second = ClickTask()
        for delta in one.deltas + two.deltas {
            let complete = delta.bytes.withUnsafeBytes { bytes in
                StateDelta.forEachChange(in: ByteView(bytes)) { change in
                    #expect(second.task.stateTables[0].restore(change, isCompacted: false))
                }
            }
            #expect(complete)
        }
        try second.task.resume(at: two.watermark, position: two.position)
        try second.process(["home 65000"])
        #expect(clickRows(second.cut().rows) == ["home 60000 2", "shop 60000 1"])
        try second.process(["home 300000"])
        #expect(clickRows(second.cut().rows) == ["home 120000 2"])
    }

    @Test func aClosedWindowLeavesTheDeltaEmptyOfItsKeys() throws {
        var clicks = ClickTask()
        try clicks.process(["home 1000"])
        _ = clicks.cut()
        try clicks.process(["home 70000"])
        let delta = try #require(clicks.cut().deltas.first)
        var seen: [String] = []
        _ = delta.bytes.withUnsafeBytes { bytes in
            StateDelta.forEachChange(in: ByteView(bytes)) { change in
                switch change {
                case .windowClosed: seen.append("closed")
                case .removed: seen.append("removed")
                case .stored(let key, _): seen.append("stored \(key.count)")
                }
            }
        }
        #expect(seen == ["closed", "stored 12"])
        #expect(clicks.cut().deltas.isEmpty, "nothing changed")
    }

    @Test func whereAPartitionBeginsIsStoredThoughNoRecordCame() throws {
        var clicks = ClickTask()
        clicks.task.begin(at: 100)
        #expect(clicks.cut().position == SourcePosition(next: 100, last: nil))
        #expect(clicks.cut().position == nil, "it is stored once")
    }
}
