import Testing

@testable import Engine

@Suite("Promise 1: nothing leaves before its epoch is durable, and a run ends when all is durable and delivered")
struct CoordinatorTests {
    @Test func aCutIsAskedForWhenItIsDueAndOnlyOneAtATime() {
        var driver = CoordinatorDriver(tasks: 2)
        #expect(driver.tick(at: .milliseconds(499)).isEmpty)
        #expect(driver.tick(at: .milliseconds(500)) == ["cut 1"])
        #expect(driver.tick(at: .seconds(5)).isEmpty, "one cut is under way")
        #expect(driver.handIn(at: .seconds(5)) == ["commit 1"])
        #expect(driver.tick(at: .seconds(10)).isEmpty, "it is being committed")
        #expect(driver.commit() == [])
        #expect(driver.tick(at: .seconds(10)) == ["cut 2"])
    }

    @Test func rowsLeaveAfterTheirCommitOneBatchATable() {
        var driver = CoordinatorDriver(tasks: 1)
        driver.rows[0] = 1
        #expect(driver.epoch(at: .seconds(1)) == ["deliver t:1"])
        driver.rows[0] = 1
        #expect(driver.epoch(at: .seconds(3)).isEmpty, "the first batch is under way, and the next waits for it")
        #expect(driver.delivered(1).isEmpty)
        #expect(driver.epoch(at: .seconds(5)) == ["deliver t:2"])
        #expect(driver.lastCut?.delivered.map(\.number) == [BatchNumber(1)], "the delivery is recorded with the next cut")
    }

    @Test func rowsOfATableThatNoCheckpointKnowsLeaveWithTheFirstOneOfTheRun() {
        var driver = CoordinatorDriver(tasks: 1, wait: .tables(["t"]))
        #expect(driver.covered(through: 0).isEmpty && !driver.awaitsCheckpoint)
        driver.rows[0] = 1
        #expect(driver.epoch(at: .seconds(1)).isEmpty && driver.awaitsCheckpoint)
        #expect(driver.covered(through: 0).isEmpty, "one of the run before does not know the table")
        #expect(driver.covered(through: 1) == ["deliver t:1"] && !driver.awaitsCheckpoint)
        #expect(driver.delivered(1).isEmpty)
        driver.rows[0] = 1
        #expect(driver.epoch(at: .seconds(3)) == ["deliver t:2"], "the table is known from then on")
    }

    @Test func withEverythingWaitingABatchLeavesWithTheCheckpointOfItsEpoch() {
        var driver = CoordinatorDriver(tasks: 1, wait: .everything)
        driver.rows[0] = 1
        #expect(driver.epoch(at: .seconds(1)).isEmpty && driver.awaitsCheckpoint)
        #expect(driver.covered(through: 1) == ["deliver t:1"])
        driver.rows[0] = 1
        #expect(driver.delivered(1).isEmpty)
        #expect(driver.epoch(at: .seconds(3)).isEmpty && driver.covered(through: 1).isEmpty)
        #expect(driver.covered(through: 2) == ["deliver t:2"])
    }

    @Test func aBatchOfAnEarlierProcessIsInDoubt() {
        let chunk = OutboxTests.chunk()
        let batch = SinkBatch(table: "t", lineage: .first, number: BatchNumber(3), layout: OutboxTests.table, partition: 0, chunks: [chunk])
        var driver = CoordinatorDriver(tasks: 1, undelivered: [batch])
        #expect(driver.start() == ["deliver t:3 in doubt"])
        driver.rows[0] = 1
        #expect(driver.delivered(3).isEmpty)
        #expect(driver.epoch(at: .seconds(5)) == ["deliver t:4"])
    }

    @Test func readingIsHeldWhileTooMuchIsUndelivered() {
        var driver = CoordinatorDriver(tasks: 1, outboxBytes: 25)
        driver.rows[0] = 3
        #expect(driver.epoch(at: .seconds(1)) == ["hold true", "deliver t:1"])
        #expect(driver.delivered(1) == ["hold false"])
    }

    @Test func idleTasksAreRaisedByWhatTheLastCutSaid() {
        var driver = CoordinatorDriver(tasks: 64)
        for task in 0..<64 {
            driver.watermarks[task] = 1_000
            driver.windowEnds[task] = 60_000
            driver.idle[task] = task != 5
        }
        driver.watermarks[5] = 65_000
        let actions = driver.epoch(at: .seconds(1))
        #expect(actions == ["raise 63 to 65000"], "64 quiet partitions but one, and the windows of all close with the busy one's")
        for task in 0..<64 { driver.watermarks[task] = 65_000 }
        #expect(driver.epoch(at: .seconds(2)) == [])
        driver.idle[5] = true
        driver.windowEnds = [0: 120_000]
        #expect(driver.epoch(at: .seconds(3)) == ["raise 64 to 120000"], "all idle: to the end of the last open window")
    }

    @Test func aBoundedRunClosesItsWindowsDeliversAndFinishes() {
        var driver = CoordinatorDriver(tasks: 2)
        driver.windowEnds = [0: 60_000, 1: 120_000]
        #expect(driver.reachedEnd() == ["stop reading"])
        #expect(driver.epoch(at: .milliseconds(1)) == ["raise 2 to 120000 ending"])
        driver.windowEnds = [:]
        driver.watermarks = [0: 120_000, 1: 120_000]
        driver.rows = [0: 1, 1: 1]
        #expect(driver.epoch(at: .milliseconds(2)) == ["deliver t:1"])
        #expect(driver.delivered(1).isEmpty)
        #expect(driver.epoch(at: .milliseconds(3)) == ["finished"])
        #expect(driver.tick(at: .seconds(100)).isEmpty)
    }

    @Test func whatWasReadAfterTheLastCutBelongsToTheBoundedRun() {
        var driver = CoordinatorDriver(tasks: 2)
        #expect(driver.tick(at: .seconds(1)) == ["cut 1"])
        // Both tasks hand their cuts in before they read anything; the end is reached while the other one still cuts.
        #expect(driver.reachedEnd() == ["stop reading"])
        #expect(driver.handIn(at: .seconds(1)) == ["commit 1"])
        #expect(driver.commit() == [], "the cut says nothing about the end yet")
        driver.windowEnds = [0: 60_000, 1: 60_000]
        #expect(driver.epoch(at: .seconds(1)) == ["raise 2 to 60000 ending"])
    }

    @Test func aDrainCommitsWhatWasReadAfterACutThatWasUnderWay() {
        var driver = CoordinatorDriver(tasks: 1)
        #expect(driver.tick(at: .seconds(1)) == ["cut 1"])
        #expect(driver.drain() == ["stop reading"])
        #expect(driver.handIn(at: .seconds(1)) == ["commit 1"])
        #expect(driver.commit() == [], "records of epoch 2 are not durable yet")
        driver.rows[0] = 1
        #expect(driver.epoch(at: .seconds(1)) == ["deliver t:1"])
        _ = driver.delivered(1)
        #expect(driver.epoch(at: .seconds(1)) == ["finished"])
    }

    @Test func aDrainWithNothingToDeliverFinishesWithItsCommit() {
        var driver = CoordinatorDriver(tasks: 1)
        #expect(driver.drain() == ["stop reading"])
        #expect(driver.drain().isEmpty)
        #expect(driver.epoch(at: .milliseconds(1)) == ["finished"])
    }

    @Test func messagesTravelWithTheirEpochAndItsWatermarks() {
        var driver = CoordinatorDriver(tasks: 2, receivers: 2)
        driver.watermarks = [0: 5_000, 1: 7_000]
        driver.messages = [0: 1]
        #expect(driver.epoch(at: .seconds(1)) == ["receive 0>1@1 upstream 5000"])
        driver.watermarks = [0: 9_000, 1: 7_000]
        #expect(driver.epoch(at: .seconds(2)) == ["receive upstream 7000"])
    }

    @Test func aRestartHandsOutTheMessagesThatNobodyProcessed() {
        let id = MessageBatchID(from: TaskID(stage: "topic", partition: 0), to: TaskID(stage: "merge", partition: 1), epoch: Epoch(4))
        let message = MessageBatch(id: id, count: 0, bytes: [])
        var driver = CoordinatorDriver(tasks: 1, receivers: 2, messages: [message], watermark: 3_000)
        #expect(driver.start() == ["receive 0>1@4 upstream 3000"])
    }

    /// The worker died when the end of a run was durable where records are read, and not heard of behind.
    @Test func anEarlierRunsEndFiresNoTimersEither() {
        var driver = CoordinatorDriver(tasks: 2, receivers: 1, watermark: 60_000, isEnded: true)
        #expect(driver.start() == ["receive upstream \(Int64.min)"])
        driver.watermarks = [0: 60_000, 1: 60_001]
        #expect(driver.epoch(at: .milliseconds(500)) == ["receive upstream 60000 ending"])
        driver.watermarks = [0: 60_001, 1: 60_001]
        #expect(driver.epoch(at: .seconds(1)) == ["receive upstream 60001"], "records have come since")
    }

    @Test func theSecondStageIsClosedByItsSendersAlone() {
        var driver = CoordinatorDriver(tasks: 2, receivers: 1)
        driver.windowEnds = [0: 60_000]
        _ = driver.reachedEnd()
        #expect(driver.epoch(at: .milliseconds(1)) == ["receive upstream \(Int64.min)", "raise 2 to 60000 ending"])
        driver.windowEnds = [:]
        driver.watermarks = [0: 60_000, 1: 60_000]
        driver.messages = [0: 0]
        #expect(driver.epoch(at: .milliseconds(2)) == ["receive 0>0@2 upstream 60000 ending"], "a message is under way")
        driver.received = [
            MessageBatchID(from: TaskID(stage: "topic", partition: 0), to: TaskID(stage: "merge", partition: 0), epoch: Epoch(2))
        ]
        driver.mergeWatermark = 60_000
        driver.mergeWindowEnd = 120_000
        // Raised alone, it would be late for what its senders still may send: they are raised, and it follows them.
        #expect(driver.epoch(at: .milliseconds(3)) == ["receive upstream 60000 ending", "raise 2 to 120000 ending"])
        driver.watermarks = [0: 120_000, 1: 120_000]
        #expect(driver.epoch(at: .milliseconds(4)) == ["receive upstream 120000 ending"], "it has not heard of it yet")
        driver.mergeWatermark = 120_000
        driver.mergeWindowEnd = nil
        #expect(driver.epoch(at: .milliseconds(5)) == ["receive upstream 120000 ending"])
        #expect(driver.epoch(at: .milliseconds(6)) == ["receive upstream 120000 ending", "finished"])
    }

    @Test func aSenderThatNeverSawARecordIsRaisedWithTheWindowsBehindIt() {
        var driver = CoordinatorDriver(tasks: 3, receivers: 1)
        driver.watermarks = [0: 65_000]
        driver.mergeWindowEnd = 60_000
        _ = driver.reachedEnd()
        #expect(
            driver.epoch(at: .milliseconds(1)) == ["receive upstream \(Int64.min)", "raise 2 to 60000 ending"],
            "tasks 1 and 2, so that what comes to them later is late there")
    }

    @Test func nothingIsRaisedBeforeTheSecondStageHasHeardWhatWasRead() {
        var driver = CoordinatorDriver(tasks: 1, receivers: 1)
        driver.watermarks = [0: 59_000]
        driver.windowEnds = [0: 60_000]
        _ = driver.reachedEnd()
        #expect(driver.epoch(at: .milliseconds(1)) == ["receive upstream 59000"], "its timers up to there fire, those beyond don't")
        driver.mergeWatermark = 59_000
        #expect(driver.epoch(at: .milliseconds(2)) == ["receive upstream 59000", "raise 1 to 60000 ending"])
    }

    @Test func idleTasksAreRaisedToTheWindowsOpenBehindThem() {
        var driver = CoordinatorDriver(tasks: 2, receivers: 1)
        driver.watermarks = [0: 120_000, 1: 60_000]
        driver.idle = [0: true, 1: true]
        driver.mergeWatermark = 60_000
        driver.mergeWindowEnd = 120_000
        #expect(
            driver.epoch(at: .seconds(1)) == ["receive upstream 60000", "raise 1 to 120000"], "no window is open in them, but one behind")
    }

    @Test func theTaskOfAnEmptyPartitionIsRaisedWithTheOthers() {
        var driver = CoordinatorDriver(tasks: 3)
        driver.watermarks = [1: 70_000, 2: 80_000]
        driver.windowEnds = [1: 90_000, 2: 120_000]
        driver.idle = [0: true]
        #expect(driver.epoch(at: .seconds(1)) == ["raise 1 to 70000"], "to the least of those that are not idle")
        driver.watermarks[0] = 70_000
        driver.idle = [0: true, 1: true, 2: true]
        #expect(driver.epoch(at: .seconds(2)) == ["raise 3 to 120000"], "all idle: to the last window open in any of them")
        driver.watermarks = [0: 120_000, 1: 120_000, 2: 120_000]
        driver.windowEnds = [:]
        #expect(driver.epoch(at: .seconds(1_000)) == [], "and no further, however long it takes")
    }
}
