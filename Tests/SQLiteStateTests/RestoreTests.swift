import Engine
import Simulation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 1: what a start finds is the sum of all commits, however much of it was compacted")
struct RestoreTests {
    private struct Model {
        var tables: [Int: [String: [[UInt8]: [UInt8]]]] = [:]
        var closedThrough = Int64(0)
    }

    private func settings(_ random: inout SeededRandom) -> SQLiteStateStore.Settings {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = Int.random(in: 1...4_000, using: &random)
        settings.compactionStep = Int.random(in: 1...100, using: &random)
        settings.logPages = Int.random(in: 1...50, using: &random)
        return settings
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func randomChangesComeBack(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let directory = try TemporaryDirectory()
        var model = Model()
        var epoch = UInt64(0)
        for _ in 0..<6 {
            let store = try reopened(directory.path, settings: settings(&random))
            let restored = try store.open(PlainJob.topology())
            #expect(restored.epoch.number == epoch)
            #expect(restored.isNew == (epoch == 0))
            try compare(store, model)
            for _ in 0..<Int.random(in: 1...25, using: &random) {
                epoch += 1
                try store.commit(randomCut(epoch, &model, &random))
                let compacted = try store.maintain().compactedThrough
                #expect(compacted <= Epoch(epoch))
            }
            try compare(store, model)
        }
    }

    private func randomCut(_ epoch: UInt64, _ model: inout Model, _ random: inout SeededRandom) -> EpochCut {
        if Int.random(in: 0...3, using: &random) == 0 { model.closedThrough += 1_000 }
        let tasks = (0..<3).map { task -> TaskCut in
            var keyed = PlainChanges()
            var windowed = PlainChanges()
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                let key = [UInt8](repeating: UInt8.random(in: 0...30, using: &random), count: Int.random(in: 0...2, using: &random))
                let record = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: Int.random(in: 0...50, using: &random))
                switch Int.random(in: 0...3, using: &random) {
                case 0: keyed.removed.append(key)
                case 1: keyed.stored.append((key, record))
                default:
                    windowed.stored.append(
                        (PlainChanges.windowKey(model.closedThrough + 1_000 * Int64.random(in: 0...3, using: &random), key), record))
                }
            }
            windowed.closed =
                model.tables[task]?["windowed"].map { rows in
                    Array(
                        Set(
                            rows.keys.filter { $0.lexicographicallyPrecedes(PlainChanges.windowKey(model.closedThrough)) }.map {
                                Array($0.prefix(8))
                            })
                    )
                    .map { prefix in Int64(bitPattern: prefix.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } ^ 1 << 63) }
                } ?? []
            // One that is closed and gets records again, as one does whose time of being remembered is made longer.
            if Int.random(in: 0...5, using: &random) == 0 {
                windowed.closed.append(model.closedThrough + 1_000 * Int64.random(in: 0...3, using: &random))
            }
            keyed.apply(to: &model.tables[task, default: [:]]["keyed", default: [:]])
            windowed.apply(to: &model.tables[task, default: [:]]["windowed", default: [:]])
            return PlainJob.taskCut(PlainJob.task(task), deltas: [keyed.delta("keyed"), windowed.delta("windowed")])
        }
        return PlainJob.cut(epoch, tasks)
    }

    private func compare(_ store: SQLiteStateStore, _ model: Model) throws {
        for number in 0..<3 {
            let task = PlainTask(id: PlainJob.task(number))
            try store.restore(task, memoryBudget: .max)
            for table in task.tables { #expect(table.rows == model.tables[number]?[table.schema.table] ?? [:]) }
        }
    }

    @Test func withoutRoomForAllTheRestIsReadWhenAskedFor() throws {
        let directory = try TemporaryDirectory()
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 1
        let store = try SQLiteStateStore(directory: directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        var changes = PlainChanges()
        for window in Int64(0)..<10 {
            for key in UInt8(0)..<10 {
                changes.stored.append((PlainChanges.windowKey(window * 1_000, [key]), [UInt8](repeating: key, count: 100)))
            }
        }
        try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("windowed")])]))
        #expect(try store.maintain().compactedThrough == Epoch(1))

        let task = PlainTask(id: PlainJob.task(0))
        try store.restore(task, memoryBudget: 1_000)
        let table = task.tables[1]
        #expect(table.compactedRows > 0 && table.compactedRows < 20)
        #expect(Set(table.unloaded.map { Array($0.prefix(8)) }).count == 9 || table.compactedRows < 10)
        #expect(table.unloaded.contains { $0.starts(with: PlainChanges.windowKey(9_000)) }, "a window of which nothing was loaded is known")
        var read: [UInt8]?
        try PlainChanges.windowKey(9_000, [3]).withUnsafeBytes { key in
            try store.read(task: PlainJob.task(0), table: "windowed", key: ByteView(key)) { read = $0.copy() }
        }
        #expect(read == [UInt8](repeating: 3, count: 100))
        var scanned: [[UInt8]] = []
        try PlainChanges.windowKey(4_000).withUnsafeBytes { prefix in
            try store.scan(task: PlainJob.task(0), table: "windowed", prefix: ByteView(prefix)) { key, _ in scanned.append(key.copy()) }
        }
        #expect(scanned == (UInt8(0)..<10).map { PlainChanges.windowKey(4_000, [$0]) })
    }

    @Test func aClosedWindowIsDeletedByItsRangeAndNoOther() throws {
        let directory = try TemporaryDirectory()
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 1
        let store = try SQLiteStateStore(directory: directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        let starts: [Int64] = [-256, -1, 0, 255, 256, 0xFFFF, 0x10000]
        var changes = PlainChanges()
        for start in starts {
            changes.stored += [(PlainChanges.windowKey(start), [1]), (PlainChanges.windowKey(start, [0xFF, 0xFF]), [2])]
        }
        try store.commit(PlainJob.cut(1, [0, 1].map { PlainJob.taskCut(PlainJob.task($0), deltas: [changes.delta("windowed")]) }))
        _ = try store.maintain()
        var closing = PlainChanges()
        closing.closed = [-1, 255, 0xFFFF]
        try store.commit(PlainJob.cut(2, [PlainJob.taskCut(PlainJob.task(0), deltas: [closing.delta("windowed")])]))
        _ = try store.maintain()
        #expect(try store.integer("SELECT count(*) FROM delta") == 0)
        #expect(try store.integer("SELECT count(*) FROM keyed") == 14 + 8)
        let task = PlainTask(id: PlainJob.task(0))
        try store.restore(task, memoryBudget: .max)
        #expect(
            Set(task.tables[1].rows.keys.map { Array($0.prefix(8)) }) == Set([-256, 0, 256, 0x10000].map { PlainChanges.windowKey($0) }))
    }

    @Test("promise 7: deltas that come faster than a step compacts don't pile up")
    func compactingKeepsUp() throws {
        let directory = try TemporaryDirectory()
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 4_000
        settings.compactionStep = 10
        let store = try reopened(directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        var waiting: Int64 = 0
        for epoch in UInt64(1)...200 {
            let tasks = (0..<20).map { task in
                var changes = PlainChanges()
                for key in 0..<10 as Range<UInt8> { changes.stored.append(([key], [UInt8](repeating: key, count: 20))) }
                return PlainJob.taskCut(PlainJob.task(task), deltas: [changes.delta("keyed")])
            }
            try store.commit(PlainJob.cut(epoch, tasks))
            while try store.maintain().left == .tooMuch {}
            waiting = max(waiting, try store.integer("SELECT coalesce(sum(length(bytes)), 0) FROM delta"))
        }
        #expect(waiting < 40_000, "an epoch brings about 5,000 bytes")
    }
}
