import CheckpointStores
import Engine
import SQLiteState
import Simulation
import Synchronization
import TestSupport
import Testing
import Worker

@Suite("Checkpoints are written beside the work, and what waits for them waits")
struct CheckpointTests {
    private let archive = MemoryArchive()

    private func settings(_ durability: Durability = .local, interval: Duration = .milliseconds(100)) -> CheckpointSettings {
        var settings = CheckpointSettings(archive: archive)
        settings.durability = durability
        settings.interval = interval
        return settings
    }

    @Test func aBaseComesFirstAndDeltasFollowEachOther() throws {
        let bench = try Bench(.everything, partitions: 2)
        let values = [Bench.purchases(0, seconds: 0..<200), Bench.purchases(1, seconds: 0..<200)]
        bench.append(values)
        let running = try bench.start(untilEnd: false, checkpoints: settings())
        try waitUntil("some checkpoints are there") { archive.published.count > 5 }
        running.drain()
        #expect(try running.wait() == .complete)
        let published = archive.published
        #expect(published[0].content == .base && published[0].reason == .start && published[0].facts.epoch == Epoch(0))
        for (before, next) in zip(published, published.dropFirst()) {
            #expect(
                next.content == .delta(after: before.facts.epoch) || (next.content == .nothing && next.facts.epoch == before.facts.epoch))
        }
        #expect(published.last?.reason == .drain && published.last?.facts.epoch == running.status.epoch)
        // The next run goes on with a delta: what changed since is still in the state file.
        #expect(try bench.start(untilEnd: true, checkpoints: settings()).wait() == .complete)
        #expect(archive.published[published.count].content == .delta(after: published.last!.facts.epoch))
        bench.expectRows(values)
    }

    @Test func withLocalDurabilityAnArchiveThatIsDownHoldsNothingUpAndIsCaughtUpWith() throws {
        let bench = try Bench(.everything, partitions: 2)
        var values = [Bench.purchases(0, seconds: 0..<100), Bench.purchases(1, seconds: 0..<100)]
        bench.append(values)
        let running = try bench.start(untilEnd: false, checkpoints: settings())
        try waitUntil("the first checkpoint is there") { archive.covered.map { $0 > Epoch(0) } ?? false }
        archive.setDown(true)
        try waitUntil("the trouble is shown") { running.status.checkpoint.problem != nil }
        let delivered = bench.sink.deliveries.count
        let more = Bench.purchases(0, seconds: 100..<300)
        values[0] += more
        bench.append([more, []])
        try waitUntil("rows are delivered") { bench.sink.deliveries.count > delivered }
        let covered = archive.covered!
        archive.setDown(false)
        try waitUntil("the archive has everything again") { archive.covered! > covered && running.status.checkpoint.problem == nil }
        running.drain()
        #expect(try running.wait() == .complete)
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func withSharedDurabilityNothingLeavesBeforeItsEpochIsInTheArchive() throws {
        let bench = try Bench(.everything, partitions: 2)
        bench.settings.epochRecords = 150
        bench.settings.outboxLimits = Outbox.Limits(batchRows: 50, batchBytes: 1 << 20, bytes: 4_000)
        let first = [Bench.purchases(0, seconds: 0..<10), Bench.purchases(1, seconds: 0..<10)]
        bench.append(first)
        let running = try bench.start(untilEnd: false, checkpoints: settings(.shared, interval: .seconds(3600)))
        try waitUntil("rows are delivered") { !bench.sink.deliveries.isEmpty }
        archive.setDown(true)
        // What was covered before may still be on its way.
        let covered = archive.covered!
        let more = [Bench.purchases(0, seconds: 10..<2_000), Bench.purchases(1, seconds: 10..<2_000)]
        bench.append(more)
        try waitUntil("reading is held") { running.status.isReadingHeld }
        let epoch = running.status.epoch.number
        try waitUntil("time passes") { running.status.epoch.number > epoch + 20 }
        #expect(bench.sink.newestEpochDelivered ?? Epoch(0) <= covered)
        archive.setDown(false)
        try waitUntil("all is read") { bench.source.readCount == (first + more).reduce(0) { $0 + $1.count } }
        running.drain()
        #expect(try running.wait() == .complete)
        #expect(try bench.start(untilEnd: true, checkpoints: settings(.shared)).wait() == .complete)
        bench.expectRows(zip(first, more).map(+))
    }

    @Test func withSharedDurabilityADeliveryUnderWayEndsWhenNobodySaysWhoseTheJobIs() throws {
        let bench = try Bench(.everything, partitions: 1)
        let values = [Bench.purchases(0, seconds: 0..<50), Bench.purchases(0, seconds: 50..<100)]
        bench.append([values[0]])
        let running = try bench.start(untilEnd: false, checkpoints: settings(.shared))
        try waitUntil("rows are delivered") { !bench.sink.deliveries.isEmpty }
        bench.sink.setDown(true)
        bench.append([values[1]])
        try waitUntil("a delivery is under way") { bench.sink.waitingDeliveries > 0 }
        archive.setDown(true)
        try waitUntil("the delivery is abandoned", within: 30) { bench.sink.abandonedDeliveries > 0 }
        bench.sink.setDown(false)
        #expect(!bench.sink.deliveries.contains { $0.mayHaveBeenSent })
        archive.setDown(false)
        try waitUntil("it is found out what became of it") { bench.sink.deliveries.contains { $0.mayHaveBeenSent } }
        running.drain()
        #expect(try running.wait() == .complete)
        #expect(try bench.start(untilEnd: true, checkpoints: settings(.shared)).wait() == .complete)
        bench.expectRows([values[0] + values[1]])
    }

    @Test func aWorkerThatLostTheJobStopsBeforeItsNextDelivery() throws {
        let bench = try Bench(.everything, partitions: 1)
        bench.append([Bench.purchases(0, seconds: 0..<50)])
        let running = try bench.start(untilEnd: false, checkpoints: settings(interval: .seconds(3600)))
        try waitUntil("rows are delivered") { !bench.sink.deliveries.isEmpty }
        let delivered = Mutex<Int?>(nil)
        archive.takeOver { [sink = bench.sink] in delivered.withLock { $0 = sink.deliveries.count } }
        bench.append([Bench.purchases(0, seconds: 50..<500)])
        #expect(try running.waitForFailure().kind == .fenced)
        // Each table may have had one under way.
        #expect(bench.sink.deliveries.count <= (try #require(delivered.withLock { $0 })) + bench.job.topology.tables.count)
    }

    @Test func aCollectionHoldsUpNeitherCheckpointsNorADrain() throws {
        let bench = try Bench(.everything, partitions: 1)
        let values = [Bench.purchases(0, seconds: 0..<50), Bench.purchases(0, seconds: 50..<100)]
        bench.append([values[0]])
        try archive.withoutEndOfCollections {
            let running = try bench.start(untilEnd: false, checkpoints: settings())
            try waitUntil("a collection is under way") { archive.collections > 0 }
            bench.append([values[1]])
            try waitUntil("checkpoints go on") { archive.published.count > 3 }
            running.drain()
            #expect(try running.wait() == .complete)
            #expect(archive.published.last?.reason == .drain && archive.published.last?.facts.epoch == running.status.epoch)
            #expect(archive.collections == 1)
            #expect(running.status.drain.total() < .seconds(4), "\(running.status.drain.text)")
        }
        try bench.runToEnd()
        bench.expectRows([values[0] + values[1]])
    }

    @Test func aStartThatMigratesMakesItsBaseAtOnceSoThatItsDrainNeedNot() throws {
        let run = try VisitRun(values: VisitRun.visits(300))
        try run.drained(1, through: 100, archiving: true)
        let store = try run.checkpoints()
        let before = try #require(try store.newest())
        let running = try run.worker(2, archiving: true)
        try waitUntil("the base is there") { try store.newest().map { $0.reason == .interval && $0.number > before.number } ?? false }
        #expect(try store.newest()?.objects.map(\.kind) == [.base])
        running.drain()
        #expect(try running.wait() == .complete)
        let last = try #require(try store.newest())
        #expect(last.reason == .drain && last.objects.first?.kind == .base && last.objects.count <= 2)
    }

    @Test func anEmptyStateDoesNotBeginWhileNobodyCanSayWhetherThereIsOneToRestore() throws {
        let bench = try Bench(.everything, partitions: 1)
        archive.setDown(true)
        let failure = try bench.start(untilEnd: true, checkpoints: settings()).waitForFailure()
        #expect(failure.kind == .retry && failure.message.contains("state.restore: never"))
        var unasked = settings()
        unasked.mayBeginUnasked = true
        #expect(try bench.start(untilEnd: true, checkpoints: unasked).wait() == .complete)
    }

    /// What can't be read says nothing of whose the job is; it is asked again, as for a publication that failed.
    @Test func aClaimOfARunningWorkerThatMeetsDamageCostsACheckpointAndNotTheRun() throws {
        let bench = try Bench(.everything, partitions: 1)
        let values = [Bench.purchases(0, seconds: 0..<50)]
        bench.append(values)
        archive.setDown(true)
        var settings = settings()
        settings.mayBeginUnasked = true
        let running = try bench.start(untilEnd: false, checkpoints: settings)
        try waitUntil("the job goes on without being asked about") { running.status.epoch.number > 0 }
        archive.setDamaged(true)
        archive.setDown(false)
        try waitUntil("it is told") { running.status.checkpoint.problem?.contains("other bytes") == true }
        archive.setDamaged(false)
        try waitUntil("the job is claimed") { archive.covered != nil }
        running.drain()
        #expect(try running.wait() == .complete)
        #expect(archive.published.last?.reason == .drain)
    }

    @Test func aSinkThatIsAwayHoldsUpNoCheckpointWhileRowsAreToBeRolledBackOnceMore() throws {
        let bench = try Bench(.everything, partitions: 1)
        let values = [Bench.purchases(0, seconds: 0..<50)]
        bench.append(values)
        #expect(try bench.start(untilEnd: true, checkpoints: settings()).wait() == .complete)
        try StateAssembly.beginLineage(Lineage(2), in: bench.directory.file("state.db"))
        bench.sink.holdSecondRollback(true)
        let running = try bench.start(untilEnd: false, checkpoints: settings())
        try waitUntil("the second rollback is under way") { bench.sink.rollbacks.count == 2 }
        let covered = archive.covered!
        bench.append([Bench.purchases(0, seconds: 50..<60)])
        try waitUntil("checkpoints go on") { archive.covered!.number > covered.number + 3 }
        bench.sink.holdSecondRollback(false)
        try waitUntil("it is over") { running.status.checkpoint.last?.epoch.number ?? 0 > covered.number + 10 }
        running.drain()
        #expect(try running.wait() == .complete)
        #expect(bench.sink.rollbacks == [.due, .again])
        #expect(try bench.start(untilEnd: true, checkpoints: settings()).wait() == .complete)
        #expect(bench.sink.rollbacks == [.due, .again], "done for good")
    }
}
