import TestSupport
import Testing

@testable import Engine

@Suite("Events that come again are dropped and counted, and those too old to be told are rejected")
struct DeduplicatingTests {
    private func task(horizon: EventSpan?) -> ClickTask {
        ClickTask(
            Topology(
                job: "clicks", version: 1,
                stages: [
                    Stage("clicks", topic: "clicks") { setup in
                        setup.decode(with: ClickDecoder())
                            .outOfOrderness(.seconds(5))
                            .rejecting(topic: "clicks")
                            .deduplicating("ids", version: 1, horizon: horizon, bucket: .seconds(10)) { $0.page }
                            .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: ClickJob.table)))
                    }
                ]))
    }

    @Test func aRepeatedEventMovesNothing() throws {
        var clicks = task(horizon: .minutes(1))
        try clicks.process(["a 1000", "a 1000", "b 2000", "a 500000", "b 2000"])
        #expect(clicks.task.counters.skipped == ["duplicate": 3])
        #expect(clicks.task.watermark == EventTime(milliseconds: -3000), "a repeated event has no time of its own")
        try clicks.process(["c 61000", "c 66000"])
        #expect(clickRows(clicks.cut().rows) == [])
        try clicks.task.raiseWatermark(to: EventTime(milliseconds: 60_000), firingTimers: true)
        #expect(clickRows(clicks.cut().rows) == ["a 60000 1", "b 60000 1"])
    }

    @Test func whatNobodyCanTellIsLate() throws {
        var clicks = task(horizon: .minutes(1))
        try clicks.process(["a 1000", "b 74999", "c 1001", "d 75000", "e 1002", "a 1000"])
        // One for its window, two because of their ids.
        #expect(clicks.task.counters.late == 3 && clicks.task.counters.rejected == 3)
        let late = clicks.cut().rows.filter { $0.id.table == RejectedRecords.table.name }
        #expect(late.reduce(0) { $0 + $1.rowCount } == 3)
    }

    /// A stage that forwards its events drops copies before that, so that no other stage sees them.
    @Test(arguments: [false, true])
    func copiesOfWhatAnEarlierBuildRememberedAreDropped(isRekeyed: Bool) throws {
        struct PageKeyBy: KeyBy {
            func key(of click: Click) -> ByteView { click.page }
            func encode(_ click: Click, into payload: inout ByteWriter) { payload.write(raw: click.page) }
        }
        var clicks = ClickTask(
            Topology(
                job: "clicks", version: 1,
                stages: [
                    Stage("clicks", topic: "clicks") { setup in
                        let stage = setup.decode(with: ClickDecoder()).rejecting(topic: "clicks")
                            .deduplicating("ids", version: 1, horizon: .minutes(1), bucket: .seconds(10)) { $0.page }
                        return isRekeyed
                            ? stage.keyBy(PageKeyBy(), to: "pages")
                            : stage.window(.minutes(1), ClicksPerPage(rows: setup.rows(of: ClickJob.table)))
                    }
                ]))
        let ids = try #require(clicks.task.stateTables.first { $0.schema.table == "ids" })
        #expect(UnkeyedRecords.apply(UnkeyedRecords.delta(["a", "b"], bucket: 0), to: ids))
        try clicks.process(["a 1000", "c 2000", "b 3000", "c 2000", "a 4000"])
        #expect(clicks.task.counters.skipped == ["duplicate": 4])
        if isRekeyed {
            #expect(clicks.cut().sent.map(\.count) == [1])
        } else {
            try clicks.task.raiseWatermark(to: EventTime(milliseconds: 60_000), firingTimers: true)
            #expect(clickRows(clicks.cut().rows) == ["c 60000 1"])
        }
    }

    @Test func switchedOffItDropsNothingAndForgets() throws {
        var clicks = task(horizon: nil)
        try clicks.process(["a 1000", "a 1000"])
        #expect(clicks.task.counters.skipped.isEmpty && clicks.task.counters.late == 0)
        #expect(clicks.task.stateTables.map(\.schema.table) == ["clicks_per_page", "ids"], "so that it can be switched on")
        #expect(clicks.cut().deltas.map(\.table) == ["clicks_per_page"])
    }
}
