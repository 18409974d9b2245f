import CSQLite
import Engine
import Simulation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A state follows its topic to more partitions: every key meets its records, and what nobody can place is refused")
struct RepartitionTests {
    private static let declarations = [
        declared("plain", .key, .moves), declared("windowed", .windowAndKey, .moves), declared("parts", .windowAndKey, .stays),
        declared("members", .windowAndKey, .copied), declared("ids", .windowAndKey, .copiedByNumber),
    ]
    static let topology = PlainJob.topology(version: 1, declarations: declarations)

    private static func declared(_ table: String, _ key: StateKeyKind, _ placement: StatePlacement) -> StateDeclaration {
        let fields = [StateField(name: "a", type: .text)]
        return StateDeclaration(
            schema: StateSchema(table: table, version: 1, key: key, hasTimer: false, fields: fields), placement: placement)
    }

    /// What each partition's tables hold, by their names.
    typealias Contents = [Int: [String: [[UInt8]: [UInt8]]]]

    private static func place(_ key: [UInt8], _ partitions: Int) -> Int {
        key.withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: partitions) }
    }

    /// A state of several epochs, part of it compacted, with its whole copy in `base`.
    private func build(_ partitions: Int, _ random: inout SeededRandom, in directory: TemporaryDirectory) throws -> Contents {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 500
        let store = try SQLiteStateStore(directory: directory.file("before"), settings: settings)
        _ = try store.open(RepartitionTests.topology)
        try store.register(partitions: ["topic": partitions, "second": 2])
        var contents: Contents = [:]
        var ids: [Int: UInt32] = [:]
        for epoch in 1...8 as ClosedRange<UInt64> {
            let tasks = (0..<partitions).map { partition -> TaskCut in
                let changes = self.changes(in: partition, of: partitions, number: &ids[partition, default: 0], &random)
                for (table, change) in changes { change.apply(to: &contents[partition, default: [:]][table, default: [:]]) }
                return PlainJob.taskCut(
                    PlainJob.task(partition), watermark: Int64(partition * 700 + Int(epoch)), isEnded: partition == 1,
                    position: PlainJob.position(Int64(epoch) * 10),
                    deltas: changes.map { $1.delta($0) }, rows: [PlainJob.chunk(partition, epoch: epoch)],
                    sent: [PlainJob.message(from: partition, to: 1, epoch: epoch)]
                )
            }
            try store.commit(PlainJob.cut(epoch, tasks))
            _ = try store.maintain()
        }
        try store.beginBase(at: directory.file("base.db"))
        while try store.stepBase() == nil {}
        return contents
    }

    private func changes(in partition: Int, of partitions: Int, number: inout UInt32, _ random: inout SeededRandom) -> [(
        String, PlainChanges
    )] {
        var changes = Dictionary(uniqueKeysWithValues: RepartitionTests.declarations.map { ($0.schema.table, PlainChanges()) })
        func bytes() -> [UInt8] { (0..<random.number(in: 1...20)).map { _ in UInt8(random.number(in: 0...255)) } }
        for _ in 0..<30 {
            let key = Array("key-\(random.number(in: 0...400))".utf8)
            guard RepartitionTests.place(key, partitions) == partition else { continue }
            let window = Int64(random.number(in: 0...3)) * 1_000
            if random.percent(10) { changes["plain"]?.removed.append(key) } else { changes["plain"]?.stored.append((key, bytes())) }
            changes["windowed"]?.stored.append((PlainChanges.windowKey(window, key), bytes()))
            changes["parts"]?.stored.append((PlainChanges.windowKey(window, Array("shop-\(random.number(in: 0...9))".utf8)), bytes()))
            changes["members"]?.stored.append((PlainChanges.windowKey(window, Array("shop-1".utf8) + key), [1, 1]))
            changes["ids"]?.stored.append(
                (PlainChanges.windowKey(1_000, withUnsafeBytes(of: number.bigEndian) { Array($0) }), Array("\(partition)-\(number)".utf8)))
            number += 1
        }
        if random.percent(20) { changes["windowed"]?.closed.append(0) }
        return changes.filter { !$0.value.stored.isEmpty }.sorted { $0.key < $1.key }
    }

    private func repartition(
        _ directory: TemporaryDirectory, to partitions: Int, _ change: (inout StateRepartition.Order) throws -> Void = { _ in }
    ) throws -> RepartitionReport {
        let file = directory.file("after/state.db")
        _ = try StateDirectory(path: directory.file("after"))
        try StateAssembly.assemble(base: directory.file("base.db"), deltas: [], into: file)
        var order = StateRepartition.Order(topic: nil, partitions: partitions, places: .murmur2(.same), isDrained: true)
        try change(&order)
        return try StateRepartition.perform(order, in: file)
    }

    @Test(arguments: [(2, 3), (2, 4), (4, 6), (3, 12), (1, 5), (6, 10)], [1, 2] as [UInt64])
    func everyRecordIsWhereItsKeyIs(counts: (before: Int, after: Int), seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let directory = try TemporaryDirectory()
        let before = try build(counts.before, &random, in: directory)
        let report = try repartition(directory, to: counts.after)
        let growth = PartitionGrowth(from: counts.before, to: counts.after)
        let store = try reopened(directory.file("after"))
        let restored = try store.open(RepartitionTests.topology)
        for partition in 0..<counts.after {
            let task = PlainTask(id: PlainJob.task(partition), declarations: RepartitionTests.declarations)
            try store.restore(task, memoryBudget: .max)
            let found = Dictionary(uniqueKeysWithValues: task.tables.map { ($0.schema.table, $0.rows) })
            let sources = growth.sources(of: partition)
            func all(_ table: String) -> [[UInt8]: [UInt8]] {
                sources.reduce(into: [:]) { all, source in all.merge(before[source]?[table] ?? [:]) { first, _ in first } }
            }
            #expect(found["plain"] == all("plain").filter { RepartitionTests.place($0.key, counts.after) == partition })
            #expect(
                found["windowed"]
                    == all("windowed").filter { RepartitionTests.place(Array($0.key.dropFirst(8)), counts.after) == partition })
            #expect(found["parts"] == before[partition]?["parts"] ?? [:])
            #expect(found["members"] == all("members"))
            let ids = sources.flatMap { (before[$0]?["ids"] ?? [:]).values }
            #expect(Set(found["ids"]!.values) == Set(ids) && found["ids"]!.count == ids.count)
            #expect(
                Set(found["ids"]!.keys)
                    == Set(
                        (0..<UInt32(ids.count)).map { number in
                            PlainChanges.windowKey(1_000, withUnsafeBytes(of: number.bigEndian) { Array($0) })
                        }))
            try expectProgress(restored.tasks[PlainJob.task(partition)], of: partition, from: sources, counts.before)
        }
        #expect(restored.partitions == ["topic": counts.after, "second": 2])
        #expect(
            restored.messages.count == 8 * counts.before && restored.outbox.first { $0.table == "rows" }?.pending.count == 8 * counts.before
        )
        #expect(report.before == counts.before && report.after == counts.after && report.partitions.count == counts.after)
        #expect(
            report.partitions.reduce(0) { $0 + $1.keysBefore } == before.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } })
        #expect(report.tables.first { $0.name == "first.parts" }?.changed == 0)
        #expect(try !store.keepsChanges(after: restored.epoch), "a delta would continue the checkpoint of before")
    }

    private func expectProgress(_ task: RestoredTask?, of partition: Int, from sources: [Int], _ before: Int) throws {
        let watermarks = sources.map { EventTime(milliseconds: Int64($0 * 700 + 8)) }
        let task = try #require(task)
        #expect(task.watermark == watermarks.min())
        #expect(task.raise?.watermark == (sources.count > 1 ? watermarks.max() : nil))
        #expect(task.raise.map(\.isEnded) == (sources.count > 1 ? sources.max() == 1 : nil))
        #expect(task.position == (partition < before ? PlainJob.position(80) : SourcePosition(next: 0, last: nil)))
    }

    @Test func keysThatTheListPlacesGoThereAndTheRestIsRefused() throws {
        var random = SeededRandom(seed: 3)
        let directory = try TemporaryDirectory()
        let before = try build(2, &random, in: directory)
        let keys = Set(before.values.flatMap { $0["plain"]!.keys + $0["windowed"]!.keys.map { Array($0.dropFirst(8)) } }).sorted {
            $0.lexicographicallyPrecedes($1)
        }
        let missing = try #require(keys.last { key in before.values.contains { $0["plain"]?[key] != nil } })
        for listed in [keys, keys.filter { $0 != missing }] {
            let scratch = try TemporaryDirectory()
            let list = try ListedKeys(scratch: scratch.path)
            try list.add { add in for key in listed { try add(key, Int(key.last!) % 3) } }
            guard listed.count == keys.count else {
                expectRefusal("first.plain: 1 of ", "'\(String(decoding: missing, as: UTF8.self))' is not in the list", "List every key") {
                    _ = try repartition(directory, to: 3) { $0.places = .listed(list) }
                }
                continue
            }
            _ = try repartition(directory, to: 3) { $0.places = .listed(list) }
            let store = try reopened(directory.file("after"))
            _ = try store.open(RepartitionTests.topology)
            for partition in 0..<3 {
                let task = PlainTask(id: PlainJob.task(partition), declarations: RepartitionTests.declarations)
                try store.restore(task, memoryBudget: .max)
                #expect(!task.tables[0].rows.isEmpty && task.tables[0].rows.keys.allSatisfy { Int($0.last!) % 3 == partition })
                // Nobody knows where the others' keys came from.
                #expect(task.tables[3].rows.count == before.values.reduce(0) { $0 + $1["members"]!.count })
            }
        }
    }

    @Test func whatDoesNotFitIsRefusedSayingWhatToDo() throws {
        var random = SeededRandom(seed: 4)
        let directory = try TemporaryDirectory()
        _ = try build(2, &random, in: directory)
        expectRefusal("not more") { _ = try repartition(directory, to: 2) }
        expectRefusal("does not read topic other", "it reads topic") { _ = try repartition(directory, to: 3) { $0.topic = "other" } }
        expectRefusal("state table first.nothing", "first.plain") {
            _ = try repartition(directory, to: 3) { $0.placements = ["first.nothing": .copied] }
        }
        expectRefusal(
            "first.parts: ", "are not where murmur2 puts them among 2 partitions", "--record-key", "--assign", "--spread", "--stay",
            "Nothing was written"
        ) {
            _ = try repartition(directory, to: 4) { $0.placements = ["first.parts": .moves] }
        }
        expectRefusal("first.parts can't be copied", "a multiple of 2") {
            _ = try repartition(directory, to: 3) { $0.placements = ["first.parts": .copied] }
        }
        expectRefusal("first.plain: ", "first.windowed: ") {
            _ = try repartition(directory, to: 3) { $0.places = .murmur2(RecordKeyTemplate("<{}>")!) }
        }
        try execute("DELETE FROM meta WHERE name LIKE 'topic %'", in: directory.file("base.db"))
        expectRefusal("which stage reads which topic", "--before-repartition") { _ = try repartition(directory, to: 3) }
        try execute("INSERT INTO meta VALUES ('topic first', 'topic'), ('topic third', 'another')", in: directory.file("base.db"))
        expectRefusal("say which one grew with --topic: another, topic") { _ = try repartition(directory, to: 3) }
        expectRefusal("has never read topic another") { _ = try repartition(directory, to: 3) { $0.topic = "another" } }
        #expect(try repartition(directory, to: 3) { $0.topic = "topic" }.topic == "topic")
    }

    /// What a first growth left to be raised is not yet in the tasks' watermarks.
    @Test(arguments: [(2, 3, 6), (2, 4, 8), (2, 3, 4), (4, 6, 9), (4, 6, 12)])
    func growingTwiceWithoutARunBetweenForgetsNoClosedWindow(counts: (first: Int, second: Int, third: Int)) throws {
        var random = SeededRandom(seed: 5)
        let directory = try TemporaryDirectory()
        _ = try build(counts.first, &random, in: directory)
        _ = try repartition(directory, to: counts.second)
        let file = directory.file("after/state.db")
        _ = try StateRepartition.perform(
            StateRepartition.Order(topic: nil, partitions: counts.third, places: .murmur2(.same), isDrained: true), in: file)
        let (once, again) = (PartitionGrowth(from: counts.first, to: counts.second), PartitionGrowth(from: counts.second, to: counts.third))
        let restored = try reopened(directory.file("after")).open(RepartitionTests.topology)
        for partition in 0..<counts.third {
            let sources = again.sources(of: partition).flatMap { once.sources(of: $0) }
            let (least, greatest) = (Int64(sources.min()! * 700 + 8), Int64(sources.max()! * 700 + 8))
            let task = try #require(restored.tasks[PlainJob.task(partition)])
            #expect(task.watermark.milliseconds == least, "\(partition)")
            #expect(task.raise?.watermark.milliseconds == (least == greatest ? nil : greatest), "\(partition)")
            #expect(task.raise.map(\.isEnded) == (least == greatest ? nil : sources.max() == 1), "\(partition)")
        }
    }

    @Test func moreNumberedRecordsThanATaskCanHoldAreRefused() throws {
        var random = SeededRandom(seed: 6)
        let directory = try TemporaryDirectory()
        let ids = try build(2, &random, in: directory).values.reduce(0) { $0 + ($1["ids"]?.count ?? 0) }
        expectRefusal("first.ids: partitions 0, 1 have \(ids) records", "no more than \(ids - 1)", "a multiple of 2", "Nothing was written")
        {
            _ = try repartition(directory, to: 3) { $0.numberedRecords = ids - 1 }
        }
        _ = try repartition(directory, to: 4) { $0.numberedRecords = ids - 1 }
        _ = try repartition(directory, to: 3) { $0.numberedRecords = ids }
    }

    private func expectRefusal(_ parts: String..., sourceLocation: SourceLocation = #_sourceLocation, body: () throws -> Void) {
        let error = #expect(throws: StateError.self, sourceLocation: sourceLocation) { try body() }
        for part in parts {
            #expect(
                error?.message.contains(part) == true, "'\(part)' is missing in: \(error?.message ?? "")", sourceLocation: sourceLocation)
        }
    }

    private func execute(_ sql: String, in file: String) throws {
        var database: OpaquePointer?
        defer { sqlite3_close_v2(database) }
        try #require(sqlite3_open(file, &database) == SQLITE_OK && sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK)
    }
}
