import Engine
import TestSupport
import Testing

@Suite("A record that is further ahead of the clock than records may be is rejected, and moves nothing")
struct AheadOfClockTests {
    private static func topology(_ span: EventSpan?, horizon: EventSpan? = nil) -> Topology {
        Topology(
            job: "clicks", version: 1,
            stages: [
                Stage("clicks", topic: "clicks") { setup in
                    setup.decode(with: ClickDecoder())
                        .outOfOrderness(.seconds(5))
                        .rejectingAhead(by: span)
                        .rejecting(topic: "clicks")
                        .deduplicating("ids", version: 1, horizon: horizon) { $0.page }
                        .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: ClickJob.table)))
                }
            ])
    }

    private static func reasons(_ cut: TaskCut) -> [String] {
        cut.rows.filter { $0.id.table == RejectedRecords.table.name }.flatMap { chunk in
            chunk.bytes.withUnsafeBytes { bytes in
                var reader = RowReader(ByteView(bytes))
                var reasons: [String] = []
                while !reader.isAtEnd {
                    for column in RejectedRecords.table.columns {
                        if column.name == "reason" { reasons.append(reader.text().text) } else { reader.skip(column.type) }
                    }
                }
                return reasons
            }
        }
    }

    @Test("whatever its log's time says", arguments: [nil, Int64(4_271_000_000_000)])
    func itIsRejectedAndTheWatermarkStays(timestamp: Int64?) throws {
        var clicks = ClickTask(Self.topology(.hours(1)))
        let now = EventTime(milliseconds: 1_000_000)
        try clicks.process(["home 1000", "home 4271000000000"], timestamp: timestamp.map { EventTime(milliseconds: $0) }, at: now)
        #expect(clicks.task.watermark == EventTime(milliseconds: -4000))
        try clicks.process(["home 59000", "home \(1_000_000 + 3_600_001)"], at: now)
        #expect(clicks.task.watermark == EventTime(milliseconds: 54_000) && clicks.task.counters.late == 0)
        #expect(clicks.task.counters.raisedBy == RaisingRecord(offset: 2, time: EventTime(milliseconds: 59_000), timestamp: nil))
        let cut = clicks.cut()
        #expect(Self.reasons(cut) == ["ahead_of_clock", "ahead_of_clock"] && clicks.task.counters.rejected == 2)
        #expect(cut.position?.next == 4, "what was rejected is read")
    }

    @Test func asFarAheadAsItMayBeItIsProcessed() throws {
        var clicks = ClickTask(Self.topology(.hours(1)))
        try clicks.process(["home \(1_000_000 + 3_600_000)"], at: EventTime(milliseconds: 1_000_000))
        #expect(clicks.task.watermark == EventTime(milliseconds: 4_595_000) && clicks.task.counters.rejected == 0)
    }

    @Test func withoutABoundAnyTimeIsTaken() throws {
        var clicks = ClickTask(Self.topology(nil))
        try clicks.process(["home 4271000000000"], at: EventTime(milliseconds: 0))
        #expect(clicks.task.watermark == EventTime(milliseconds: 4_270_999_995_000))
    }

    @Test func itsIdIsNotRememberedSoThatACorrectedOneCounts() throws {
        var clicks = ClickTask(Self.topology(.hours(1), horizon: .hours(24)))
        try clicks.process(["home 4271000000000", "home 1000"], at: EventTime(milliseconds: 0))
        #expect(clicks.task.counters.skipped == [:] && clicks.task.counters.rejected == 1)
    }
}
