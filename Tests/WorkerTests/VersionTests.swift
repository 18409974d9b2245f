import Engine
import Logging
import SQLiteState
import Simulation
import TestSupport
import Testing
import Worker

@Suite("An upgrade reads nothing again: each version of a job goes on from the state of the other until it is final")
struct VersionTests {
    /// A directory, an input and a sink that outlive the workers, and the model of what they are to write.
    private final class World {
        let directory: TemporaryDirectory
        let source = MemorySource(topic: VersionedJob.topic, partitions: 1)
        let sink = MemorySink()
        var model = VersionedModel()
        var memoryBudget = 512 << 20
        var compactionBytes = 64 << 20
        private var random = SeededRandom(seed: 31)
        private var time = 1_700_000_000_000
        private var written = 0

        init() throws { directory = try TemporaryDirectory() }

        func store(dropping: [String] = []) throws -> SQLiteStateStore {
            var settings = SQLiteStateStore.Settings()
            settings.compactionBytes = compactionBytes
            settings.droppedTables = dropping
            var opened: SQLiteStateStore?
            // The threads of a run that has ended let go of its store a moment later.
            try waitUntil("the state directory is free") {
                do {
                    opened = try SQLiteStateStore(directory: directory.path, settings: settings)
                    return true
                } catch let error as StateError where error.kind == .locked {
                    return false
                }
            }
            return opened!
        }

        private func append(_ count: Int) {
            let values = (0..<count).map { _ in
                time += random.number(in: 0...900)
                return "p\(random.number(in: 0...5)) v\(random.number(in: 0...8)) \(random.number(in: 0...50)) \(time)"
            }
            for value in values { model.read(value) }
            written += count
            source.append(values, to: TopicPartition(topic: VersionedJob.topic, partition: 0))
        }

        func worker(_ version: Int, untilEnd: Bool = false, dropping: [String] = [], window: EventSpan = VersionedJob.window) throws
            -> RunningWorker
        {
            var settings = WorkerSettings()
            settings.epochInterval = .milliseconds(10)
            settings.epochRecords = 25
            settings.flushInterval = .milliseconds(20)
            settings.memoryBudget = memoryBudget
            settings.readsUntilEnd = untilEnd
            return RunningWorker(
                Worker(
                    VersionedJob.topology(version, window: window), settings: settings, source: source,
                    store: try store(dropping: dropping), sink: sink,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                ))
        }

        /// Reads `count` more records with this version, drains, and compares all rows so far.
        func run(_ version: Int, records count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
            model.start(version)
            append(count)
            let running = try worker(version)
            try waitUntil("all is read") { source.readCount == written }
            running.drain()
            #expect(try running.wait() == .complete)
            expectRows(sourceLocation: sourceLocation)
        }

        func expectRows(sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(SimulationChecks.differences(sink.rows, model.lines).prefix(10) == [], sourceLocation: sourceLocation)
        }
    }

    @Test("there, back, there again, and final; in memory, and read from the file record by record", arguments: [64 << 20, 1])
    func bothVersionsGoOnFromEachOther(compactionBytes: Int) throws {
        let world = try World()
        world.compactionBytes = compactionBytes
        if compactionBytes == 1 { world.memoryBudget = 1 }
        try world.run(1, records: 300)
        try world.run(2, records: 200)
        try world.run(2, records: 150)
        try world.run(1, records: 200)
        try world.run(2, records: 150)
        #expect(try world.store().inspect(VersionedJob.topology(1))?.compatibility.refusals == [])

        let done = try world.store().finalize(VersionedJob.topology(2))
        #expect(done.copies == ["visits/hours", "visits/pages"] || done.copies == ["visits/pages", "visits/hours"])
        #expect(done.dropped == [] && done.kept == ["visits/gone"])
        let refused = try world.worker(1).waitForFailure()
        #expect(refused.kind == .incompatible && refused.message.contains("from version 2 of the job on"))
        try world.run(2, records: 100)
        #expect(try world.store(dropping: ["gone"]).finalize(VersionedJob.topology(2)).dropped == ["visits/gone"])
        world.model.start(2)
        #expect(try world.worker(2, untilEnd: true).wait() == .complete)
        world.model.end()
        world.expectRows()
    }

    @Test func aTableIsDroppedByNameAtAStartAndThatIsFinal() throws {
        let world = try World()
        try world.run(1, records: 50)
        world.model.start(2)
        let running = try world.worker(2, untilEnd: true, dropping: ["visits/gone"])
        #expect(try running.wait() == .complete)
        #expect(try world.worker(1).waitForFailure().message.contains("from version 2"))
        #expect(try world.worker(2, untilEnd: true, dropping: ["visits/gone"]).wait() == .complete, "a start may be repeated as it was")
        let kept = try world.store().inspect(VersionedJob.topology(2))
        #expect(kept?.compatibility.tables.map(\.action) == [.keep, .keep, .keep] && kept?.compatibility.isFinalizePending == false)
    }

    @Test func anotherSpanOfWindowsIsRefusedAndNothingChanges() throws {
        let world = try World()
        try world.run(1, records: 50)
        let refused = try world.worker(2, window: .seconds(20)).waitForFailure()
        #expect(refused.kind == .incompatible && refused.message.contains("10000 ms long and would be 20000 ms"))
        try world.run(1, records: 50)
    }

    @Test func onlyTheVersionThatRanCanMakeItFinal() throws {
        let world = try World()
        try world.run(1, records: 10)
        #expect(throws: StateError.self) { try world.store().finalize(VersionedJob.topology(2)) }
        try world.run(2, records: 10)
        let failure = #expect(throws: StateError.self) { try world.store().finalize(VersionedJob.topology(1)) }
        #expect(failure?.kind == .incompatible && failure?.message.contains("version 2 of the job wrote the state") == true)
        #expect(throws: StateError.self) { try world.store(dropping: ["pages"]).finalize(VersionedJob.topology(2)) }
        try world.run(1, records: 10)
    }
}
