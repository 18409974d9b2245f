import Engine
import Testing

@Suite("Dates and table partitions are the calendar's")
struct RowPartitioningTests {
    @Test(
        arguments: [
            (0, 19_700_101), (-1, 19_691_231), (59, 19_700_301), (789, 19_720_229), (790, 19_720_301), (10_957, 20_000_101),
            (11_016, 20_000_229), (11_017, 20_000_301), (47_540, 21_000_228), (47_541, 21_000_301), (-135_081, 16_000_229),
            (20_454, 20_260_101),
        ] as [(Int64, Int32)])
    func daysAreDates(days: Int64, date: Int32) {
        #expect(CivilDate(daysSince1970: days).yyyymmdd == date)
    }

    @Test func datesAndDaysAreInverse() {
        for days in stride(from: Int64(-200_000), through: 200_000, by: 1) {
            let date = CivilDate(daysSince1970: days)
            guard CivilDate.daysSince1970(year: date.year, month: date.month, day: date.day) == days else {
                Issue.record("day \(days) became \(date)")
                return
            }
        }
    }

    /// 2026-11-22 is a Sunday, the 23rd a Monday.
    @Test(
        arguments: [
            (RowPartitioning.none, 0, 0, 0), (.month, 202_611, 202_611, 202_611), (.week, 20_261_116, 20_261_116, 20_261_123),
            (.day, 20_261_122, 20_261_122, 20_261_123),
        ] as [(RowPartitioning, Int32, Int32, Int32)])
    func partitionsChangeAtMidnight(partitioning: RowPartitioning, first: Int32, last: Int32, next: Int32) {
        let sunday = CivilDate.daysSince1970(year: 2026, month: 11, day: 22) * 86_400_000
        #expect(partitioning.partition(of: EventTime(milliseconds: sunday)) == first)
        #expect(partitioning.partition(of: EventTime(milliseconds: sunday + 86_399_999)) == last)
        #expect(partitioning.partition(of: EventTime(milliseconds: sunday + 86_400_000)) == next)
    }

    @Test func timesBefore1970HavePartitionsToo() {
        #expect(RowPartitioning.day.partition(of: EventTime(milliseconds: -1)) == 19_691_231)
        #expect(RowPartitioning.week.partition(of: EventTime(milliseconds: -1)) == 19_691_229)
    }

    @Test func windowsAreAlignedTo1970() {
        for (time, start) in [(0, 0), (29_999, 0), (30_000, 30_000), (-1, -30_000), (-30_000, -30_000)] as [(Int64, Int64)] {
            let window = Window(containing: EventTime(milliseconds: time), span: .seconds(30))
            #expect(window.start.milliseconds == start && window.end.milliseconds == start + 30_000)
        }
    }

    @Test func timeSaturatesAtItsEnds() {
        #expect(EventTime.distantPast - .seconds(5) == .distantPast)
        #expect(EventTime.distantFuture + .days(1) == .distantFuture)
    }
}
