import Engine
import Testing

@Suite("A partition is idle by what its log and its leader say, never by the wall clock alone")
struct IdleTests {
    private static let partition = TopicPartition(topic: "t", partition: 0)
    private static let other = TopicPartition(topic: "t", partition: 1)

    /// A tracker that has heard the leader every two seconds through `seconds`, standing at the end since 0.
    private func tracker(quietThrough seconds: Int64) -> IdleTracker {
        var tracker = IdleTracker(idleAfter: .seconds(30), partitions: [IdleTests.partition, IdleTests.other])
        tracker.reachedEnd(IdleTests.partition, at: 5, now: .zero)
        for second in stride(from: Int64(0), through: seconds, by: 2) {
            tracker.leaderAnswered(IdleTests.partition, end: 5, now: .seconds(second))
        }
        return tracker
    }

    @Test func itTakesTheWholeTime() {
        let tracker = tracker(quietThrough: 30)
        #expect(!tracker.isIdle(IdleTests.partition, now: .milliseconds(29_999)))
        #expect(tracker.isIdle(IdleTests.partition, now: .seconds(30)))
        #expect(!tracker.isIdle(IdleTests.other, now: .seconds(30)))
        #expect(tracker.candidates == [IdleTests.partition])
    }

    @Test func aRecordEndsIt() {
        var tracker = tracker(quietThrough: 40)
        tracker.recordsCame(IdleTests.partition)
        tracker.reachedEnd(IdleTests.partition, at: 6, now: .seconds(40))
        #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(41)))
    }

    @Test func anEndBeyondTheReadersMeansThatRecordsAreOnTheirWay() {
        var tracker = tracker(quietThrough: 40)
        tracker.leaderAnswered(IdleTests.partition, end: 6, now: .seconds(41))
        #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(41)))
    }

    /// What waits behind an open transaction comes when that ends, maybe after long; until then its leader is asked on.
    @Test func aPartitionThatStandsBeforeAnOpenTransactionIsNotIdle() {
        var tracker = tracker(quietThrough: 40)
        for second in stride(from: Int64(42), through: 400, by: 2) {
            tracker.leaderAnswered(IdleTests.partition, end: 25, now: .seconds(second))
            #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(second)))
        }
        #expect(tracker.candidates == [IdleTests.partition])
        // It was aborted: the reader has passed what nobody reads.
        tracker.reachedEnd(IdleTests.partition, at: 26, now: .seconds(400))
        for second in stride(from: Int64(402), through: 430, by: 2) {
            tracker.leaderAnswered(IdleTests.partition, end: 26, now: .seconds(second))
        }
        #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(429)))
        #expect(tracker.isIdle(IdleTests.partition, now: .seconds(430)))
        // What was not committed is gone with a leader that had it alone.
        tracker.leaderAnswered(IdleTests.partition, end: 30, now: .seconds(432))
        for second in stride(from: Int64(434), through: 464, by: 2) {
            tracker.leaderAnswered(IdleTests.partition, end: 26, now: .seconds(second))
        }
        #expect(tracker.isIdle(IdleTests.partition, now: .seconds(464)))
    }

    @Test func heldReadingStartsItAnew() {
        var tracker = tracker(quietThrough: 40)
        tracker.readingWasHeld(now: .seconds(40))
        #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(41)))
        for second in stride(from: Int64(42), through: 70, by: 2) {
            tracker.leaderAnswered(IdleTests.partition, end: 5, now: .seconds(second))
        }
        #expect(tracker.isIdle(IdleTests.partition, now: .seconds(70)))
    }

    @Test func withoutTheLeadersAnswersNothingIsIdle() {
        let tracker = tracker(quietThrough: 10)
        #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(40)), "the last answer is too long ago")
        var late = tracker
        late.leaderAnswered(IdleTests.partition, end: 5, now: .seconds(40))
        #expect(!late.isIdle(IdleTests.partition, now: .seconds(40)), "the answers had a gap")
        for second in stride(from: Int64(42), through: 70, by: 2) {
            late.leaderAnswered(IdleTests.partition, end: 5, now: .seconds(second))
        }
        #expect(late.isIdle(IdleTests.partition, now: .seconds(70)))
    }

    @Test func aReaderThatNeverReachedTheEndIsNotIdle() {
        var tracker = IdleTracker(idleAfter: .seconds(30), partitions: [IdleTests.partition])
        for second in Int64(0)...100 { tracker.leaderAnswered(IdleTests.partition, end: 5, now: .seconds(second)) }
        #expect(!tracker.isIdle(IdleTests.partition, now: .seconds(100)))
        tracker.reachedEnd(TopicPartition(topic: "unknown", partition: 0), at: 1, now: .zero)
        #expect(tracker.candidates.isEmpty)
    }

    private func member(_ watermark: Int64?, _ windowEnd: Int64?, idle: Bool) -> IdleWatermarks.Member {
        IdleWatermarks.Member(
            watermark: watermark.map { EventTime(milliseconds: $0) } ?? .distantPast,
            lastOpenWindowEnd: windowEnd.map { EventTime(milliseconds: $0) }, isIdle: idle
        )
    }

    @Test func idleTasksRiseToTheLeastOfThoseThatAreAwake() {
        #expect(
            IdleWatermarks.target([member(10, 30, idle: true), member(100, nil, idle: false), member(70, 90, idle: false)])?.milliseconds
                == 70)
        #expect(IdleWatermarks.target([member(80, 90, idle: true), member(70, 90, idle: false)]) == nil, "they never move back")
        #expect(IdleWatermarks.target([member(10, 30, idle: false), member(70, 90, idle: false)]) == nil)
        #expect(
            IdleWatermarks.target([member(10, 30, idle: true), member(nil, nil, idle: false)]) == nil,
            "one that has read nothing holds them")
    }

    @Test func whenAllAreIdleTheLastOpenWindowClosesAndNoMore() {
        #expect(
            IdleWatermarks.target([member(10, 30, idle: true), member(70, 90, idle: true), member(nil, nil, idle: true)])?.milliseconds
                == 90)
        #expect(IdleWatermarks.target([member(90, nil, idle: true), member(90, nil, idle: true)]) == nil)
        #expect(IdleWatermarks.target([member(nil, nil, idle: true)]) == nil)
    }

    @Test func anEmptyPartitionsTaskRisesTooAndHoldsTheOthersUntilItIsIdle() {
        #expect(IdleWatermarks.target([member(nil, nil, idle: true), member(70, 90, idle: false)])?.milliseconds == 70)
        #expect(IdleWatermarks.target([member(nil, nil, idle: true), member(10, 30, idle: true)])?.milliseconds == 30)
        #expect(
            IdleWatermarks.target([member(nil, nil, idle: false), member(10, 30, idle: true)]) == nil,
            "what it will read may be as old as anything")
    }
}
