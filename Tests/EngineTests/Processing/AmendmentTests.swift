import TestSupport
import Testing

@testable import Engine

@Suite("An amendment changes what its event has left in open windows, and nothing else")
struct AmendmentTests {
    private struct Decoder: EventDecoder {
        /// `page time`, or `-page time` for a click that was none.
        func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Click> {
            guard record.value[0] == UInt8(ascii: "-"), let start = record.value.start else {
                return ClickDecoder().decode(record, scratch: scratch)
            }
            let rest = SourceRecord(
                offset: record.offset, timestamp: nil, key: .null, value: ByteView(start: start + 1, count: record.value.count - 1))
            guard case .event(let click, let time) = ClickDecoder().decode(rest, scratch: scratch) else { return .skipped("damaged") }
            return .amendment(click, at: time)
        }
    }

    private struct Clicks: WindowedAggregate {
        static let name = "clicks_per_page"
        static let version = 1
        var all: ClicksPerPage

        func key(of click: Click) -> ByteView? { click.page }
        mutating func add(_ click: Click, at time: EventTime, to total: inout ClicksPerPage.Total) { all.add(click, at: time, to: &total) }
        mutating func amend(_ click: Click, to total: inout ClicksPerPage.Total) { total.clicks -= 1 }
        mutating func close(_ window: Window, key: ByteView, record total: inout ClicksPerPage.Total) {
            all.close(window, key: key, record: &total)
        }
    }

    /// Lets one amendment of a page and minute through.
    private final class Once: AmendmentFilter {
        private let noted: WindowedRecords<ClicksPerPage.Total>

        init(_ setup: TaskSetup) { noted = setup.windowedRecords("noted", version: 1, span: .minutes(1), placement: .copied) }

        func note(_ click: Click, at time: EventTime, watermark: EventTime) { noted.update(click.page, at: time) { $0.clicks += 1 } }

        func refusal(of click: Click, at time: EventTime, watermark: EventTime) -> StaticString? {
            var refusal: StaticString? = "unknown"
            noted.amend(click.page, at: time) {
                refusal = $0.clicks > 0 ? nil : AmendmentRefusal.repeated
                $0.clicks = 0
            }
            return refusal
        }
    }

    /// Counts what it sees.
    private struct Seen: KeyedProcessor {
        static let name = "seen"
        static let version = 1
        let rows: RowWriter

        func key(of click: Click) -> ByteView? { click.page }
        mutating func process(_ click: Click, at time: EventTime, key: ByteView, state: inout Keyed<ClicksPerPage.Total>) {
            state.record.clicks += 1
        }
    }

    private func task(isFiltered: Bool = false) -> ClickTask {
        ClickTask(
            Topology(
                job: "clicks", version: 1,
                stages: [
                    Stage("clicks", topic: "clicks") { setup in
                        let rows = setup.rows(of: ClickJob.table)
                        let task = setup.decode(with: Decoder()).outOfOrderness(.seconds(5)).rejecting(topic: "clicks").deduplicating(
                            "ids", version: 1, horizon: nil
                        ) { $0.page }
                        if isFiltered { task.amending(by: Once(setup), notesEvents: true) }
                        return task.window(.minutes(1), Clicks(all: ClicksPerPage(rows: rows))).process(Seen(rows: rows))
                    }
                ]))
    }

    @Test func itChangesItsWindowAndMovesNoWatermark() throws {
        var clicks = task()
        try clicks.process(["a 1000", "a 2000", "b 1000", "-a 2000", "-a 500000", "-c 1000"])
        #expect(clicks.task.watermark == EventTime(milliseconds: -3000))
        try clicks.task.raiseWatermark(to: EventTime(milliseconds: 60_000), firingTimers: true)
        #expect(clickRows(clicks.cut().rows) == ["a 60000 1", "b 60000 1"])
        #expect(clicks.task.counters.skipped.isEmpty)
    }

    @Test func afterTheWindowsCloseItIsSkippedAndNotRejected() throws {
        var clicks = task()
        try clicks.process(["a 1000", "b 66000", "-a 1000"])
        #expect(clicks.task.counters.skipped == ["late_update": 1] && clicks.task.counters.rejected == 0 && clicks.task.counters.late == 0)
    }

    @Test func keyedProcessorsDoNotSeeIt() throws {
        var clicks = task()
        try clicks.process(["-a 1000"])
        #expect(clicks.cut().deltas.isEmpty)
        try clicks.process(["a 1000"])
        #expect(clicks.cut().deltas.map(\.table).sorted() == ["clicks_per_page", "seen"])
    }

    @Test func aFilterLetsThroughWhatItKnowsAlsoAfterARestart() throws {
        var first = task(isFiltered: true)
        try first.process(["a 1000", "a 1500", "b 1000", "-a 1000", "-a 1000", "-c 1000"])
        #expect(first.task.counters.skipped == ["duplicate": 1, "unknown": 1])
        var second = task(isFiltered: true)
        for delta in first.cut().deltas {
            let table = try #require(second.task.stateTables.first { $0.schema.table == delta.table })
            var isTaken = true
            let isComplete = delta.bytes.withUnsafeBytes { bytes in
                StateDelta.forEachChange(in: ByteView(bytes)) { isTaken = table.restore($0, isCompacted: false) && isTaken }
            }
            #expect(isComplete && isTaken)
        }
        try second.task.resume(at: first.task.watermark, position: nil)
        try second.process(["-a 1000", "-b 1000"])
        #expect(second.task.counters.skipped == ["duplicate": 1])
        try second.task.raiseWatermark(to: EventTime(milliseconds: 60_000), firingTimers: true)
        #expect(clickRows(second.cut().rows) == ["a 60000 1", "b 60000 0"])
    }
}
