import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 1 and 7: a commit is all or nothing wherever it breaks, and a full disk only makes it wait")
struct FaultTests {
    /// An epoch that changes everything that an epoch can change.
    static func cut(_ epoch: UInt64) -> EpochCut {
        var changes = PlainChanges()
        for key in UInt8(0)..<20 {
            changes.stored.append(
                ([key, UInt8(truncatingIfNeeded: epoch)], [UInt8](repeating: UInt8(truncatingIfNeeded: epoch), count: 300)))
        }
        let chunk = PlainJob.chunk(0, epoch: epoch)
        let previous = epoch > 1 ? [PlainJob.batch(epoch - 1, [PlainJob.chunk(0, epoch: epoch - 1)])] : []
        let sender = PlainJob.taskCut(
            PlainJob.task(0), watermark: Int64(epoch), position: PlainJob.position(Int64(epoch)), deltas: [changes.delta("keyed")],
            rows: [chunk],
            sent: [PlainJob.message(from: 0, to: 0, epoch: epoch)]
        )
        let received = epoch > 1 ? [PlainJob.message(from: 0, to: 0, epoch: epoch - 1).id] : []
        return PlainJob.cut(
            epoch, [sender, PlainJob.taskCut(PlainJob.receiver(0), watermark: Int64(epoch), received: received)],
            frozen: [PlainJob.batch(epoch, [chunk])], delivered: previous, wallClock: Int64(epoch)
        )
    }

    static func settings() -> SQLiteStateStore.Settings {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 15_000
        settings.logPages = 12
        return settings
    }

    /// Checks that a directory holds the sum of whole epochs, and says how many.
    private func wholeEpochs(_ directory: String) throws -> UInt64 {
        let store = try reopened(directory, settings: FaultTests.settings())
        let restored = try store.open(PlainJob.topology())
        let epoch = restored.epoch.number
        guard epoch > 0 else {
            #expect(restored.tasks.isEmpty && restored.messages.isEmpty)
            return 0
        }
        let expected = FaultTests.cut(epoch)
        #expect(restored.tasks[PlainJob.task(0)]?.position == PlainJob.position(Int64(epoch)))
        #expect(restored.tasks[PlainJob.receiver(0)]?.watermark.milliseconds == Int64(epoch))
        #expect(restored.messages == expected.tasks[0].sent)
        let rows = try #require(restored.outbox.first { $0.table == "rows" })
        #expect(
            rows.pending.isEmpty && rows.undelivered.map(\.id) == expected.frozen.map(\.id)
                && rows.undelivered.map(\.chunks) == expected.frozen.map(\.chunks))
        let task = PlainTask(id: PlainJob.task(0))
        try store.restore(task, memoryBudget: .max)
        #expect(task.tables[0].rows.count == Int(epoch) * 20)
        return epoch
    }

    /// Fails operation 0, 1, 2 … of a run until a whole run succeeds; after each, the file holds whole epochs.
    @Test func whereverTheProcessDiesWholeEpochsAreLeft() throws {
        var operations = 0
        var died = 0
        var seen: Set<UInt64> = []
        while true {
            let directory = try TemporaryDirectory()
            let (committed, isWhole) = try run(in: directory, dyingAfter: operations)
            let found = try wholeEpochs(directory.path)
            #expect(found == committed || found == committed + 1, "at most the commit under way is there although nobody was told so")
            seen.insert(found)
            if isWhole { break }
            died += 1
            operations += died < 40 ? 1 : 3
        }
        #expect(died > 40 && seen == Set(0...10))
    }

    /// Commits ten epochs on a disk that dies; how many were acknowledged, and whether all were.
    private func run(in directory: TemporaryDirectory, dyingAfter operations: Int) throws -> (committed: UInt64, isWhole: Bool) {
        let disk = try FaultyDisk(directory.path)
        disk.die(after: operations)
        var committed = UInt64(0)
        do {
            let store = try SQLiteStateStore(directory: directory.path, settings: FaultTests.settings())
            _ = try store.open(PlainJob.topology())
            for epoch in UInt64(1)...10 {
                try store.commit(FaultTests.cut(epoch))
                committed = epoch
                _ = try store.maintain()
            }
            return (committed, true)
        } catch is StateError {
            return (committed, false)
        }
    }

    @Test(arguments: [7, 19, 33, 48, 77])
    func aKilledProcessLeavesWholeEpochs(operations: Int) async throws {
        let directory = try TemporaryDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String, operations = operations as Int] in
            let disk = try FaultyDisk(path)
            disk.kill(after: operations)
            let store = try SQLiteStateStore(directory: path, settings: FaultTests.settings())
            _ = try store.open(PlainJob.topology())
            for epoch in UInt64(1)...100 {
                try store.commit(FaultTests.cut(epoch))
                _ = try store.maintain()
            }
        }
        let found = try wholeEpochs(directory.path)
        #expect(found < 100)
    }

    @Test func aFullDiskIsWaitedFor() throws {
        let directory = try TemporaryDirectory()
        let disk = try FaultyDisk(directory.path)
        var waited = 0
        do {
            let store = try SQLiteStateStore(directory: directory.path, settings: FaultTests.settings())
            _ = try store.open(PlainJob.topology())
            for epoch in UInt64(1)...30 {
                disk.fill(after: Int(epoch) % 7)
                while true {
                    do {
                        try store.commit(FaultTests.cut(epoch))
                        break
                    } catch let error as StateError {
                        try #require(error.kind == .retry, "\(error)")
                        waited += 1
                        if waited % 3 == 0 { disk.mend() }
                    }
                }
                do {
                    _ = try store.maintain()
                } catch let error as StateError {
                    try #require(error.kind == .retry, "\(error)")
                }
                disk.mend()
            }
        }
        #expect(waited > 20)
        #expect(try wholeEpochs(directory.path) == 30)
    }

    @Test func anEpochOf64PartitionsCostsOneSyncOfTheDisk() throws {
        let directory = try TemporaryDirectory()
        let disk = try FaultyDisk(directory.path)
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology())
        func cut(_ epoch: UInt64) -> EpochCut {
            PlainJob.cut(
                epoch,
                (0..<64).map { task in
                    var changes = PlainChanges()
                    for key in UInt8(0)..<50 { changes.stored.append(([key], [UInt8](repeating: key, count: 100))) }
                    return PlainJob.taskCut(
                        PlainJob.task(task), watermark: Int64(epoch), position: PlainJob.position(Int64(epoch)),
                        deltas: [changes.delta("keyed"), changes.delta("windowed")], rows: [PlainJob.chunk(task, epoch: epoch)]
                    )
                })
        }
        // The first commit starts the log's file.
        try store.commit(cut(1))
        for epoch in UInt64(2)...6 {
            let before = disk.syncs
            try store.commit(cut(epoch))
            #expect(disk.syncs - before == 1)
            _ = try store.maintain()
            #expect(disk.syncs - before == 1, "nothing was due to be compacted or moved")
        }
    }
}
