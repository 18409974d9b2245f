import Engine
import Testing

@Suite("A clock is doubted that is behind when records were last read, or behind the sink's server by more than records may be ahead")
struct ClockStandingTests {
    private let now = EventTime(milliseconds: 1_000_000_000)

    private func standing(lastRead: Int64?) -> ClockStanding {
        ClockStanding(maxAhead: .hours(1), lastRead: lastRead.map { EventTime(milliseconds: $0) })
    }

    @Test func withoutAnythingToCompareItWithItIsTrusted() { #expect(standing(lastRead: nil).doubt(now: now, server: nil) == nil) }

    @Test func whatKeepsClocksRightIsNoReason() {
        #expect(standing(lastRead: now.milliseconds + 1000).doubt(now: now, server: nil) == nil)
        let read = EventTime(milliseconds: now.milliseconds + 1001)
        #expect(standing(lastRead: read.milliseconds).doubt(now: now, server: nil) == .behindLastRead(now: now, read: read))
    }

    @Test func theServerMayBeAheadByTheBound() {
        #expect(standing(lastRead: nil).doubt(now: now, server: now + .hours(1)) == nil)
        let server = EventTime(milliseconds: now.milliseconds + 3_600_001)
        #expect(standing(lastRead: nil).doubt(now: now, server: server) == .behindServer(now: now, server: server))
    }

    @Test func aClockThatIsAheadIsTrusted() {
        #expect(standing(lastRead: 1).doubt(now: now, server: EventTime(milliseconds: 1)) == nil)
    }

    @Test func whatIsReadCountsFromThenOnAndNeverLess() {
        var standing = standing(lastRead: nil)
        standing.reads(at: now + .minutes(1))
        standing.reads(at: now + .minutes(1) - .seconds(1))
        #expect(standing.doubt(now: now, server: nil) == .behindLastRead(now: now, read: now + .minutes(1)))
    }

    @Test func theDoubtSaysBothTimesAndWhatToDo() {
        let text = ClockStanding.Doubt.behindServer(now: EventTime(milliseconds: 0), server: EventTime(milliseconds: 7_200_000)).description
        #expect(
            text.contains("1970-01-01T00:00:00.000Z") && text.contains("1970-01-01T02:00:00.000Z") && text.contains("time.maxAhead=off"),
            "\(text)")
    }
}
