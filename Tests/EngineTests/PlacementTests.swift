import TestSupport
import Testing

@testable import Engine

@Suite("A key that lives in two partitions is noticed, also over restarts, and stops the job")
struct PlacementTests {
    private static let topology = Topology(
        job: "clicks", version: 1,
        stages: [
            Stage("clicks", topic: "clicks") { setup in setup.decode(with: ClickDecoder()).reportingPlacement(to: "places") { $0.page } },
            Stage("places", partitions: 1) { setup in setup.watchPlacement("places") { "\($0) is in \($1) and \($2)" } },
        ])

    private static func task(_ stage: Int, _ partition: Int, of partitions: Int = 8) -> any StreamTask {
        let environment = TaskEnvironment(
            partitioning: [:], partitions: ["clicks": partitions, "places": 1], cold: NothingEvicted(), hashKey: .ofTests)
        let stage = topology.stages[stage]
        return stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: partition), environment: environment))
    }

    private static func isWatched(_ page: String) -> Bool {
        page.withBytes { tableHash($0, seed: TableSeed(.ofTests, for: KeySample.use)) } % 64 == 0
    }
    private static let watched = (0..<2000).map { "page-\($0)" }.filter(isWatched)

    private func report(_ pages: [String], from partition: Int, of partitions: Int = 8) throws -> [MessageBatch] {
        let task = PlacementTests.task(0, partition, of: partitions)
        try withRecords(pages.map { Array("\($0) 1000".utf8) }) { try task.process($0) }
        return task.cut(Epoch(1)).sent
    }

    @Test func theFirstKeyInTwoPartitionsIsNamedWithBoth() throws {
        let places = PlacementTests.task(1, 0)
        let pages = Array(PlacementTests.watched.prefix(3))
        for batch in try report([pages[0], pages[1], pages[0]], from: 3) { try places.process(batch) }
        for batch in try report([pages[2]], from: 5) { try places.process(batch) }
        for batch in try report([pages[0], pages[1]], from: 3) { try places.process(batch) }
        let wrong = try report([pages[2], pages[1]], from: 5)[0]
        let error = #expect(throws: MisplacedKey.self) { try places.process(wrong) }
        #expect(error?.message == "\(pages[1]) is in 3 and 5" && error?.kind == .invalid)
    }

    @Test func whatWasReportedIsRemembered() throws {
        let before = PlacementTests.task(1, 0)
        let page = Array(PlacementTests.watched.prefix(1))
        for batch in try report(page, from: 3) { try before.process(batch) }
        let after = PlacementTests.task(1, 0)
        for delta in before.cut(Epoch(2)).deltas {
            _ = delta.bytes.withView { bytes in
                StateDelta.forEachChange(in: bytes) { _ = after.stateTables[0].restore($0, isCompacted: false) }
            }
        }
        let wrong = try report(page, from: 0)[0]
        #expect(throws: MisplacedKey.self) { try after.process(wrong) }
    }

    @Test func aTopicThatGrewTeachesEveryHomeAnew() throws {
        let places = PlacementTests.task(1, 0)
        let page = Array(PlacementTests.watched.prefix(1))
        for batch in try report(page, from: 3) { try places.process(batch) }
        let before = try report(page, from: 3)[0]
        for batch in try report(page, from: 11, of: 16) { try places.process(batch) }
        // Sent before the topic grew, and met after that.
        try places.process(before)
        try places.process(report(page, from: 11, of: 16)[0])
        let wrong = try report(page, from: 3, of: 16)[0]
        let error = #expect(throws: MisplacedKey.self) { try places.process(wrong) }
        #expect(error?.message == "\(page[0]) is in 11 and 3")
    }

    @Test func whatAnEarlierVersionSentAndStoredIsRead() throws {
        let page = PlacementTests.watched[0]
        var payload = ByteWriter()
        payload.write(varint: 3)
        let writer = MessageWriter(stage: "places", layout: KeyPlacement.layout, from: TaskID(stage: "clicks", partition: 3), partitions: 1)
        page.withBytes { writer.send(payload.view, key: $0) }
        let places = PlacementTests.task(1, 0)
        try places.process(writer.cut(epoch: Epoch(1))[0])
        // Nobody knows of how many partitions that was, so the first who says it counts.
        for batch in try report([page], from: 5) { try places.process(batch) }
        let wrong = try report([page], from: 3)[0]
        #expect(throws: MisplacedKey.self) { try places.process(wrong) }
        let declaration = places.stateTables[0].declaration
        let old = StateSchema(
            table: "places", version: 1, key: .key, hasTimer: true, fields: [StateField(name: "partition", type: .signed)])
        _ = try StateMigration(from: old, to: declaration)
    }

    @Test func oneKeyInSixtyFourIsReportedAndOnce() throws {
        let pages = (0..<20_000).map { "page-\($0 % 10_000)" }
        let expected = Set(pages.filter(PlacementTests.isWatched)).count
        let batches = try report(pages, from: 1)
        #expect(batches.map(\.count) == [expected] && (100...220).contains(expected))
        #expect(try report(pages.filter { !PlacementTests.isWatched($0) }, from: 1).isEmpty)
    }

    @Test func whichKeysAreWatchedDependsOnTheJobsKey() {
        func sample(_ key: HashKey) -> Set<Int> {
            let seed = TableSeed(key, for: KeySample.use)
            return Set((0..<20_000).filter { "page-\($0)".withBytes { tableHash($0, seed: seed) } % 64 == 0 })
        }
        let keys = (0..<8 as Range<UInt64>).map { HashKey(first: $0, second: 0) }
        let samples = keys.map(sample)
        #expect(sample(keys[3]) == samples[3], "in each task and process")
        for (first, second) in zip(samples, samples.dropFirst()) { #expect(first.intersection(second).count < 40, "by chance 5 of 300") }
    }

    @Test func aSampleIsBoundedAndMeetsThatOfAnotherTask() {
        var random = SystemRandomNumberGenerator()
        let hashes = (0..<20_000).map { _ in random.next() & ~63 }
        var (first, second) = (KeySample(), KeySample())
        let reported = hashes.filter { first.insert($0) }
        #expect(reported.count < 8_000, "fewer and fewer, the more keys there are")
        _ = hashes.reversed().filter { second.insert($0) }
        let kept = hashes.sorted().prefix(KeySample.limit)
        #expect(kept.allSatisfy { !first.insert($0) && !second.insert($0) }, "both have the least of all")
        #expect(hashes.filter { first.insert($0) }.isEmpty)
    }
}
