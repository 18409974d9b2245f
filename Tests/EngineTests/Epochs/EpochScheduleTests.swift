import Engine
import Testing

@Suite("An epoch ends every interval, earlier at its limits, later when commits are slow")
struct EpochScheduleTests {
    @Test func everyInterval() {
        var schedule = EpochSchedule(interval: .milliseconds(500), now: .seconds(1))
        #expect(!schedule.isDue(now: .milliseconds(1_499), isFull: false))
        #expect(schedule.isDue(now: .milliseconds(1_500), isFull: false))
        schedule.cut(now: .milliseconds(1_510))
        #expect(schedule.nextCut == .milliseconds(2_010))
    }

    @Test func atOnceWhenFull() {
        #expect(EpochSchedule(interval: .seconds(1), now: .zero).isDue(now: .milliseconds(1), isFull: true))
    }

    @Test func commitsTakeAtMostATenthOfTheTime() {
        var schedule = EpochSchedule(interval: .milliseconds(500), now: .zero)
        schedule.committed(taking: .milliseconds(200))
        #expect(schedule.nextCut == .seconds(2))
        schedule.committed(taking: .milliseconds(10))
        #expect(schedule.nextCut == .milliseconds(500))
    }

    @Test func butOneStalledCommitDoesNotStopTheCutsForLong() {
        var schedule = EpochSchedule(interval: .milliseconds(500), now: .zero)
        schedule.committed(taking: .seconds(3600))
        #expect(schedule.nextCut == EpochSchedule.longestStretch)
        var slow = EpochSchedule(interval: .seconds(60), now: .zero)
        slow.committed(taking: .seconds(3600))
        #expect(slow.nextCut == .seconds(60))
    }
}
