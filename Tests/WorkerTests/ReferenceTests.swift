import Engine
import Foundation
import SQLiteState
import Synchronization
import TestSupport
import Testing
import Worker

@Suite struct ReferenceTests {
    @Test func theTopicIsReadToItsEndBeforeTheFirstStreamRecord() throws {
        let world = try ColorWorld(colors: (0..<20_000).map { "item\($0) color\($0)" }, items: ["item0", "item19999", "item20000"])
        try world.append(["other blue"], to: "colors", partition: 1)
        try world.append(["other"], to: "items")
        let reference = try world.runToEnd()
        #expect(world.sink.rows == ["item0 color0", "item19999 color19999", "item20000 none", "other blue"])
        #expect(reference.keys == 20_001)
        #expect(reference.nextOffsets == [0: 20_000, 1: 1])
    }

    @Test func aRestartReadsOnlyWhatIsNew() throws {
        let world = try ColorWorld(colors: ["a red", "b green", "c blue"], items: ["a"])
        #expect(try world.runToEnd().counters.total == 3)
        try world.append(["d white", "b black"], to: "colors")
        try world.append(["a", "b", "c", "d"], to: "items")
        let reference = try world.runToEnd()
        #expect(reference.counters.total == 2)
        #expect(reference.keys == 4)
        #expect(world.sink.rows == ["a red", "a red", "b black", "c blue", "d white"])
        #expect(try world.runToEnd().counters.total == 0)
    }

    @Test func removalsAreHonouredAlsoAfterARestart() throws {
        let world = try ColorWorld(colors: ["a red", "b green", "a"], items: ["a", "b"])
        #expect(try world.runToEnd().keys == 1)
        try world.append(["b", "c blue"], to: "colors")
        try world.append(["a", "b", "c"], to: "items")
        #expect(try world.runToEnd().keys == 1)
        try world.append(["b"], to: "items")
        #expect(try world.runToEnd().keys == 1)
        #expect(world.sink.rows == ["a none", "b green", "a none", "b none", "c blue", "b none"])
    }

    @Test func truncatingRemovesEverythingAlsoFromTheFile() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: [])
        #expect(try world.runToEnd().keys == 2)
        try world.append(["*", "b blue"], to: "colors")
        #expect(try world.runToEnd().keys == 1)
        try world.append(["a", "b"], to: "items")
        #expect(try world.runToEnd().keys == 1)
        #expect(world.sink.rows == ["a none", "b blue"])
    }

    @Test func whatIsUnusableIsCountedAndStopsNothing() throws {
        let world = try ColorWorld(colors: ["a red", "not a color", "-", "b green"], items: ["b"])
        let counters = try world.runToEnd().counters
        #expect(counters.applied == 2 && counters.unusable == 1 && counters.ignored == 1)
        #expect(world.sink.rows == ["b green"])
    }

    @Test func whatIsUnusableIsCountedByReasonAndToldOnceWithItsPlaceAndCure() throws {
        let world = try ColorWorld(colors: ["a red", "not a color", "b unsound", "is no color", "b unsound"], items: ["a", "b"])
        let reference = try world.runToEnd()
        #expect(reference.counters.unusable == 4)
        #expect(
            reference.defects.map { "\($0.count) \($0.reason), last \($0.partition ?? -1)/\($0.offset ?? -1)" } == [
                "2 malformed, last 0/3", "2 out_of_bounds, last 0/4",
            ])
        let told = world.log.lines.filter { $0.contains("reference table colors and was passed over") }
        #expect(told.count == 2)
        #expect(told.contains { $0.contains("colors[0] offset 1 can't be used") && $0.contains("malformed: correct the row") })
        #expect(told.contains { $0.contains("colors[0] offset 2 can't be used") && $0.contains("out_of_bounds: correct the row") })
        #expect(world.sink.rows == ["a red", "b none"])
    }

    @Test func whatIsNotSoundChangesNothing() throws {
        let world = try ColorWorld(colors: ["a red", "a unsound"], items: ["a"])
        _ = try world.runToEnd()
        #expect(world.sink.rows == ["a red"])
    }

    /// A name of seven bytes that the job's rule doesn't take; and no name at all.
    @Test(arguments: ["x'07756e736f756e64'", "x'7fff'", "x''"])
    func aStoredRecordThatCantBeUsedHasItsTopicReadAnewAndIsTold(_ record: String) throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: [])
        _ = try world.runToEnd()
        _ = try openState(world.state.path)
        try RawSQLite(world.state.file("references.db")).execute("UPDATE record SET record = \(record) WHERE key = x'61'")
        try world.append(["a", "b"], to: "items")
        #expect(try world.runToEnd().counters.total == 2)
        #expect(
            world.log.text.contains(
                "reference table colors is read anew from the start of topic colors: a stored record of it is damaged or not sound"))
        #expect(world.sink.rows == ["a red", "b green"])
        #expect(try world.runToEnd().counters.total == 0, "and the copy is whole again")
    }

    @Test func aRecordOfMoreBytesThanAreTakenIsUnusable() throws {
        let world = try ColorWorld(colors: ["a red", "b " + String(repeating: "x", count: 100), "c blue"], items: ["a", "b", "c"])
        world.settings.recordLimit = 100
        let counters = try world.runToEnd().counters
        #expect(counters.applied == 2 && counters.unusable == 1)
        #expect(
            world.log.text.contains(
                "offset 1 can't be used for reference table colors and was passed over, too_large: it has 102 bytes: have the row written again, smaller or after input.maxRecordBytes (100)"
            ))
        #expect(world.sink.rows == ["a red", "b none", "c blue"])
    }

    @Test func whereReadingGoesOnIsKnownBeforeTheFirstRecord() throws {
        let world = try ColorWorld(colors: ["a red"], items: ["a", "a", "a"])
        for next in [Int64(0), 3] {
            let worker = try world.worker(untilEnd: false)
            var task: WorkerStatus.Task?
            try world.running(worker) {
                try waitUntil("the worker runs") { worker.status.phase == .running }
                // What the start knows, or a first epoch by now: of the same log.
                task = worker.status.tasks.first
                if next == 0 { try waitUntil("all is read") { world.sink.rows.count == 3 } }
            }
            let first = try #require(task?.position)
            #expect(next == 0 ? (0...3).contains(first.next) : first.next == 3)
        }
    }

    @Test func changesAreFollowedWhileRunning() throws {
        let world = try ColorWorld(colors: ["a red"], items: ["a"])
        try world.running { worker in
            try waitUntil("the first row") { world.sink.rows.count == 1 }
            try world.append(["a", "b green"], to: "colors")
            try waitUntil("the change is applied") { worker.recordsApplied == 3 }
            try world.append(["a", "b"], to: "items")
            try waitUntil("the rows after it") { world.sink.rows.count == 3 }
        }
        #expect(world.sink.rows == ["a red", "a none", "b green"])
        #expect(try world.runToEnd().counters.total == 0)
    }

    @Test func aTopicThatIsStreamAndReferenceIsReadTwice() throws {
        let world = try ColorWorld(colors: [], items: ["a", "b"])
        world.topology = ColorJob.topology(referenceTopic: "items")
        #expect(try world.runToEnd().counters.total == 2)
        #expect(world.sink.rows == ["a none", "b none"])
    }

    @Test func anotherShapeOfRecordIsReadAnew() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: ["a"])
        _ = try world.runToEnd()
        world.topology = ColorJob.topology(version: 2)
        #expect(try world.runToEnd().counters.total == 2)
        #expect(try world.runToEnd().counters.total == 0)
    }

    @Test func aRecreatedTopicIsReadAnew() throws {
        let world = try ColorWorld(colors: ["a red", "b green", "c blue"], items: ["a"])
        _ = try world.runToEnd()
        try world.replace("colors", with: ["b white"])
        try world.append(["a", "b"], to: "items")
        let reference = try world.runToEnd()
        #expect(reference.keys == 1 && reference.counters.total == 1)
        #expect(world.sink.rows == ["a red", "a none", "b white"])
        #expect(try world.runToEnd().counters.total == 0)
    }

    @Test func anotherNumberOfPartitionsIsReadAnew() throws {
        let world = try ColorWorld(colors: ["a red"], items: ["a"])
        _ = try world.runToEnd()
        try world.append(["b green"], to: "colors", partition: 1)
        #expect(try world.runToEnd().counters.total == 2)
    }

    @Test func aDamagedFileIsReadAnew() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: ["a"])
        _ = try world.runToEnd()
        // The earlier worker's last words to the file must not come after the damage.
        _ = try openState(world.state.path)
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: world.state.file("references.db")))
        #expect(try world.runToEnd().counters.total == 2)
    }

    @Test func aTopicThatDoesNotEndInTimeIsNamedAndWhatWasReadIsKept() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: ["a"])
        world.wrap = { SilentAfter(1, $0) }
        world.settings.referenceTimeout = .milliseconds(300)
        let error = #expect(throws: WorkerError.self) { try world.runToEnd() }
        #expect(
            error?.message.contains(
                "reference topic colors was not read to its end within 0.3 s (input.referenceTimeout): partition 0 stands at offset 1 of 2")
                == true)
        #expect(world.sink.rows.isEmpty)
        world.wrap = { $0 }
        #expect(try world.runToEnd().counters.total == 1)
    }

    @Test func tablesThatOutgrowTheirMemoryEndTheRunAndAreNamed() throws {
        let world = try ColorWorld(colors: (0..<3000).map { "key-\($0) \(String(repeating: "x", count: 500))" }, items: ["a"])
        world.settings.referenceMemoryLimit = 1 << 20
        for way in ["from the topic", "from the file"] {
            let error = #expect(throws: WorkerError.self) { try world.runToEnd() }
            #expect(error?.kind == .invalid, "\(way)")
            #expect(
                error?.message.contains("references.memoryLimit is 1 MiB: colors") == true, "\(way): \(error.map { "\($0)" } ?? "nothing")")
            // Loads the whole, so that the file has it for the second way.
            if way == "from the topic" {
                world.settings.referenceMemoryLimit = 1 << 30
                _ = try world.runToEnd()
                world.settings.referenceMemoryLimit = 1 << 20
            }
        }
    }

    @Test func aDrainEndsTheLoading() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: ["a"])
        world.wrap = { SilentAfter(1, $0) }
        try world.running { worker in try waitUntil("the first record") { worker.recordsApplied == 1 } }
        #expect(world.sink.rows.isEmpty)
    }

    @Test func whileTheTopicsAreReadNoStreamPartitionIsOnItsWayToBeIdle() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: ["a"])
        let gate = Gate()
        world.wrap = { SilentAfter(1, $0, until: gate) }
        world.settings.idleAfter = .seconds(2)
        try world.running { worker in
            try waitUntil("the first record") { worker.recordsApplied == 1 }
            let loading = ContinuousClock.now
            try waitUntil("longer than it takes to be idle") { ContinuousClock.now - loading > .milliseconds(2_200) }
            #expect(worker.status.phase == .starting && worker.status.tasks.isEmpty)
            gate.open()
            let start = ContinuousClock.now
            try waitUntil("the tasks run") { !worker.status.tasks.isEmpty }
            let tasks = worker.status.tasks
            if ContinuousClock.now - start < .seconds(2) { #expect(tasks.allSatisfy { !$0.isIdle }) }
            try waitUntil("the partition is idle") { worker.status.tasks.allSatisfy(\.isIdle) }
            #expect(ContinuousClock.now - start >= .seconds(2), "its time began when it was read")
        }
    }

    @Test func aKillBetweenApplyingAndCommittingLosesNothing() throws {
        let world = try ColorWorld(colors: ["a red", "b green"], items: ["a"])
        _ = try world.runToEnd()
        let left = try TemporaryDirectory()
        // So long that only the commit at the end comes after the copy.
        world.settings.referenceCommitInterval = .seconds(3600)
        try world.running { worker in
            try waitUntil("the worker runs") { worker.status.phase == .running }
            try world.append(["a", "c blue"], to: "colors")
            try waitUntil("the change is seen") {
                try world.append(["c"], to: "items")
                return world.sink.rows.contains("c blue")
            }
            // A killed process leaves what its files are at that moment.
            for name in ["state.db", "state.db-wal", "references.db", "references.db-wal"] {
                try FileManager.default.copyItem(atPath: world.state.file(name), toPath: left.file(name))
            }
        }
        let worker = try world.worker(untilEnd: true, state: left.path)
        _ = try worker.run()
        #expect(worker.recordsApplied == 2)
        #expect(try worker.reference().keys == 2)
    }

    /// And a copy of the format that knew no notes goes on.
    @Test func whatAReaderHasMetIsKeptWithTheCopy() throws {
        let world = try ColorWorld(colors: ["a red"], items: [])
        _ = try world.runToEnd()
        try RawSQLite(world.state.file("references.db")).execute("DROP TABLE note; PRAGMA user_version = 1")
        try world.append(["b green", "!", "c blue"], to: "colors")
        let first = try world.runToEnd()
        #expect(first.keys == 2 && first.counters.total == 3 && first.counters.unusable == 1)
        try world.append(["d white"], to: "colors")
        try world.append(["a", "b", "c", "d"], to: "items")
        let second = try world.runToEnd()
        #expect(second.counters.total == 1 && second.counters.unusable == 1)
        #expect(world.sink.rows == ["a red", "b green", "c none", "d none"])
    }

    @Test func whatAReaderKeepsBesideItsTableCounts() throws {
        let world = try ColorWorld(colors: ["a red", "#"], items: ["a"])
        world.settings.referenceMemoryLimit = 4 << 20
        let error = #expect(throws: WorkerError.self) { try world.runToEnd() }
        #expect(
            error?.kind == .invalid && error?.message.contains("colors 1 keys (8 MiB)") == true, "\(error.map { "\($0)" } ?? "nothing")")
    }
}

/// A source whose readers fall silent after some records, as if a leader were down, until a gate opens.
///
/// `@unchecked Sendable`: constants only.
private final class SilentAfter: RecordSource, @unchecked Sendable {
    private let limit: Int
    private let source: any RecordSource
    private let gate: Gate

    init(_ limit: Int, _ source: any RecordSource, until gate: Gate = Gate()) {
        self.limit = limit
        self.source = source
        self.gate = gate
    }

    func partitionCount(of topic: String) throws -> Int { try source.partitionCount(of: topic) }
    func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] { try source.open(assignments) }
    func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader {
        Reader(try source.makeReader(of: partitions), limit, gate)
    }
    func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        source.ends(of: partitions, timeout: timeout)
    }
    func report(_ positions: [TopicPartition: Int64]) {}

    private final class Reader: RecordReader {
        private let reader: any RecordReader
        private var left: Int
        private let gate: Gate

        init(_ reader: any RecordReader, _ limit: Int, _ gate: Gate) {
            self.reader = reader
            left = limit
            self.gate = gate
        }

        func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) throws {
            if gate.isOpen { left = .max }
            guard left > 0 else {
                usleep(1_000)
                return
            }
            try reader.poll(maximumRecords: min(left, maximumRecords), timeout: timeout) { event in
                if case .records(_, let records) = event { left -= records.count }
                handle(event)
            }
        }
    }
}

/// What others wait for; closed until it is opened.
private final class Gate: Sendable {
    private let state = Atomic(false)
    var isOpen: Bool { state.load(ordering: .acquiring) }
    func open() { state.store(true, ordering: .releasing) }
}
