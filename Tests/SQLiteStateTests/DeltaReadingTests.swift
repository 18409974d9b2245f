import Engine
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Deltas are read once, however many tasks and tables they are of")
struct DeltaReadingTests {
    private static let partitions = 64
    private static let tables = ["keyed", "windowed"]
    private static let epochs: UInt64 = 40
    /// Several times what SQLite keeps of a file in memory.
    private static let deltaBytes = Int(epochs) * partitions * tables.count * 2000

    /// An epoch in which every task changes a record of each of its tables.
    private static func cut(_ epoch: UInt64) -> EpochCut {
        PlainJob.cut(
            epoch,
            (0..<partitions).map { partition in
                var changes = PlainChanges()
                changes.stored.append(([UInt8](repeating: 1, count: 9), [UInt8](repeating: UInt8(truncatingIfNeeded: epoch), count: 2000)))
                return PlainJob.taskCut(PlainJob.task(partition), watermark: Int64(epoch), deltas: tables.map { changes.delta($0) })
            })
    }

    private static func settings(compactionBytes: Int) -> SQLiteStateStore.Settings {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = compactionBytes
        return settings
    }

    /// Fills a state with deltas alone. `keeping`: they are kept for a checkpoint when they are compacted.
    private func filled(_ directory: TemporaryDirectory, keeping: Bool) throws -> SQLiteStateStore {
        // Nothing is due before the last epoch, then all of it.
        let store = try reopened(directory.path, settings: Self.settings(compactionBytes: Self.deltaBytes))
        _ = try store.open(PlainJob.topology())
        if keeping { try store.keepChanges(after: Epoch(0)) }
        for epoch in 1...Self.epochs { try store.commit(Self.cut(epoch)) }
        return store
    }

    @Test(arguments: [true, false])
    func aCompactionPassReadsEachDeltaOnce(keeping: Bool) throws {
        let directory = try TemporaryDirectory()
        let disk = try FaultyDisk(directory.path)
        let store = try filled(directory, keeping: keeping)
        let before = disk.readBytes
        var steps = 0
        while try store.maintain(for: .seconds(60)).compactedThrough < Epoch(Self.epochs) {
            steps += 1
            try #require(steps < 1000)
        }
        #expect(disk.readBytes - before < 4 * Self.deltaBytes, "\(disk.readBytes - before) bytes were read of \(Self.deltaBytes) of deltas")
        let task = PlainTask(id: PlainJob.task(7))
        try store.restore(task, memoryBudget: .max)
        #expect(task.tables.allSatisfy { $0.rows.count == 1 })
    }

    @Test func aStartReadsEachDeltaTwiceAtMost() throws {
        let directory = try TemporaryDirectory()
        let disk = try FaultyDisk(directory.path)
        do { _ = try filled(directory, keeping: false) }
        let before = disk.readBytes
        let store = try reopened(directory.path, settings: Self.settings(compactionBytes: Self.deltaBytes))
        _ = try store.open(PlainJob.topology())
        for partition in 0..<Self.partitions {
            let task = PlainTask(id: PlainJob.task(partition))
            try store.restore(task, memoryBudget: .max)
            #expect(task.tables.allSatisfy { $0.rows.count == 1 })
        }
        #expect(disk.readBytes - before < 6 * Self.deltaBytes, "\(disk.readBytes - before) bytes were read of \(Self.deltaBytes) of deltas")
    }

    @Test func smallDeltasAreCompactedBeforeTheyAreTooMany() throws {
        let directory = try TemporaryDirectory()
        let store = try reopened(directory.path, settings: Self.settings(compactionBytes: 1 << 16))
        _ = try store.open(PlainJob.topology())
        var mostRows = 0
        for epoch in UInt64(1)...60 {
            try store.commit(
                PlainJob.cut(
                    epoch,
                    (0..<Self.partitions).map { partition in
                        var changes = PlainChanges()
                        changes.stored.append(([1], [UInt8(truncatingIfNeeded: epoch)]))
                        return PlainJob.taskCut(PlainJob.task(partition), watermark: Int64(epoch), deltas: [changes.delta("keyed")])
                    }))
            _ = try store.maintain(for: .seconds(60))
            mostRows = max(mostRows, Int(try store.integer("SELECT count(*) FROM delta")))
        }
        #expect(mostRows < 2 * (1 << 16) / 128, "\(mostRows) rows were there at once")
    }
}
