import Engine
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 1 and 4: offsets, watermarks, messages, rows and batches come back as they were committed")
struct LedgerTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func open(_ settings: SQLiteStateStore.Settings = .init()) throws -> (SQLiteStateStore, RestoredState) {
        let store = try reopened(directory.path, settings: settings)
        return (store, try store.open(PlainJob.topology()))
    }

    @Test func aNewStoreIsEmpty() throws {
        let (_, restored) = try open()
        #expect(restored.isNew && restored.lineage == .first && restored.epoch == Epoch(0))
        #expect(restored.tasks.isEmpty && restored.messages.isEmpty && restored.partitions.isEmpty)
        #expect(try !restored.identity.isEmpty && open().1.identity == restored.identity, "the same after a restart")
        #expect(restored.outbox.map(\.table) == ["other", "rows"] && restored.outbox.allSatisfy { $0.lastFrozen == nil })
    }

    @Test func positionsAndWatermarksComeBack() throws {
        do {
            let (store, _) = try open()
            try store.register(partitions: ["topic": 3, "second": 2])
            try store.commit(
                PlainJob.cut(
                    1,
                    [
                        PlainJob.taskCut(PlainJob.task(0), watermark: 5, position: PlainJob.position(7)),
                        PlainJob.taskCut(PlainJob.task(1), watermark: .min),
                        PlainJob.taskCut(PlainJob.task(2), watermark: -5, position: SourcePosition(next: 3, last: nil)),
                    ]))
            try store.commit(PlainJob.cut(2, [PlainJob.taskCut(PlainJob.task(0), watermark: 9, position: nil)]))
        }
        let (_, restored) = try open()
        #expect(!restored.isNew && restored.epoch == Epoch(2) && restored.partitions == ["topic": 3, "second": 2])
        #expect(restored.tasks[PlainJob.task(0)] == RestoredTask(watermark: EventTime(milliseconds: 9), position: PlainJob.position(7)))
        #expect(restored.tasks[PlainJob.task(1)] == RestoredTask(watermark: .distantPast, position: nil))
        #expect(restored.tasks[PlainJob.task(2)]?.position == SourcePosition(next: 3, last: nil))
    }

    @Test func aWatermarkIsOfARunsEndUntilItMoves() throws {
        for (epoch, watermark, isEnded, expected) in [(1, 5, false, false), (2, 9, true, true), (3, 9, false, true), (4, 10, false, false)]
            as [(UInt64, Int64, Bool, Bool)]
        {
            try open().0.commit(PlainJob.cut(epoch, [PlainJob.taskCut(PlainJob.task(0), watermark: watermark, isEnded: isEnded)]))
            #expect(try open().1.tasks[PlainJob.task(0)]?.isEnded == expected, "epoch \(epoch)")
        }
    }

    @Test func messagesStayUntilTheyWereProcessed() throws {
        let first = PlainJob.message(from: 0, to: 1, epoch: 1)
        let second = PlainJob.message(from: 1, to: 0, epoch: 1)
        let third = PlainJob.message(from: 0, to: 1, epoch: 2)
        do {
            let (store, _) = try open()
            try store.commit(
                PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), sent: [first]), PlainJob.taskCut(PlainJob.task(1), sent: [second])]))
            try store.commit(
                PlainJob.cut(
                    2, [PlainJob.taskCut(PlainJob.task(0), sent: [third]), PlainJob.taskCut(PlainJob.receiver(1), received: [first.id])]))
        }
        do {
            let (store, restored) = try open()
            #expect(restored.messages == [second, third])
            try store.commit(PlainJob.cut(3, [PlainJob.taskCut(PlainJob.receiver(0), received: [second.id])]))
        }
        #expect(try open().1.messages == [third])
    }

    @Test func rowsAndBatchesComeBackInOrderUntilTheyAreDelivered() throws {
        let chunks = (0..<3).map { PlainJob.chunk(0, epoch: 1, sequence: $0) } + [PlainJob.chunk(1, epoch: 1, table: "other")]
        let one = PlainJob.batch(1, [chunks[1], chunks[0]])
        let two = PlainJob.batch(2, [PlainJob.chunk(0, epoch: 2)])
        do {
            let (store, _) = try open()
            try store.commit(
                PlainJob.cut(
                    1,
                    [PlainJob.taskCut(PlainJob.task(0), rows: Array(chunks[..<3])), PlainJob.taskCut(PlainJob.task(1), rows: [chunks[3]])]))
            try store.commit(PlainJob.cut(2, [PlainJob.taskCut(PlainJob.task(0), rows: two.chunks)], frozen: [one, two]))
        }
        do {
            let (store, restored) = try open()
            let rows = try #require(restored.outbox.first { $0.table == "rows" })
            #expect(rows.lastFrozen == BatchNumber(2) && rows.pending == [chunks[2]])
            #expect(rows.undelivered.map(\.id) == [one.id, two.id] && rows.undelivered.map(\.chunks) == [one.chunks, two.chunks])
            #expect(restored.outbox.first { $0.table == "other" }?.pending == [chunks[3]])
            try store.commit(PlainJob.cut(3, delivered: [one]))
        }
        let (store, restored) = try open()
        #expect(restored.outbox.first { $0.table == "rows" }?.undelivered.map(\.id) == [two.id])
        #expect(try store.integer("SELECT count(*) FROM outbox") == 3, "delivered rows leave the file")
        #expect(try store.integer("SELECT count(*) FROM batch") == 2, "the ledger keeps the batch")
        #expect(throws: StateError.self) { try store.commit(PlainJob.cut(4, delivered: [one])) }
    }

    @Test func oldLedgersAreDroppedButTheLastNumberStays() throws {
        var settings = SQLiteStateStore.Settings()
        settings.ledgerKeepMilliseconds = 1_000
        do {
            let (store, _) = try open(settings)
            for epoch in UInt64(1)...600 {
                let chunk = PlainJob.chunk(0, epoch: epoch)
                let delivered = epoch == 1 ? [] : [PlainJob.batch(epoch - 1, [PlainJob.chunk(0, epoch: epoch - 1)])]
                try store.commit(
                    PlainJob.cut(
                        epoch, [PlainJob.taskCut(PlainJob.task(0), position: PlainJob.position(Int64(epoch)), rows: [chunk])],
                        frozen: [PlainJob.batch(epoch, [chunk])], delivered: delivered, wallClock: Int64(epoch) * 10
                    ))
                _ = try store.maintain()
            }
            #expect(try store.integer("SELECT count(*) FROM batch") < 300)
            #expect(try store.integer("SELECT count(*) FROM epoch_offsets") < 300)
            #expect(try store.integer("SELECT min(epoch) FROM epoch_offsets") > 300, "the oldest went")
        }
        let (_, restored) = try open(settings)
        #expect(restored.outbox.first { $0.table == "rows" }?.lastFrozen == BatchNumber(600))
        #expect(restored.outbox.first { $0.table == "rows" }?.undelivered.map(\.number) == [BatchNumber(600)])
    }

    @Test("a clock that was ahead for a while does not cost the ledgers that follow")
    func aClockThatWasAheadCostsNoLedgers() throws {
        var settings = SQLiteStateStore.Settings()
        settings.ledgerKeepMilliseconds = 1_000_000
        let (store, _) = try open(settings)
        for epoch in UInt64(1)...520 {
            let wallClock = epoch == 3 ? Int64(4_000_000_000_000) : Int64(epoch)
            try store.commit(
                PlainJob.cut(epoch, [PlainJob.taskCut(PlainJob.task(0), position: PlainJob.position(Int64(epoch)))], wallClock: wallClock))
            _ = try store.maintain()
        }
        #expect(try store.integer("SELECT count(*) FROM epoch_offsets") == 520, "none is older than the ledger is kept")
    }

    @Test func theLastBatchsNumberStaysHoweverLongAgoItWas() throws {
        var settings = SQLiteStateStore.Settings()
        settings.ledgerKeepMilliseconds = 1_000
        do {
            let (store, _) = try open(settings)
            let batches = (UInt64(1)...3).map { PlainJob.batch($0, [PlainJob.chunk(0, epoch: 1, sequence: Int($0))]) }
            try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), rows: batches.flatMap(\.chunks))], frozen: batches))
            for epoch in UInt64(2)...600 {
                let task = PlainJob.taskCut(PlainJob.task(0), position: PlainJob.position(Int64(epoch)))
                try store.commit(PlainJob.cut(epoch, [task], delivered: epoch == 2 ? batches : [], wallClock: Int64(epoch) * 10))
                _ = try store.maintain()
            }
            #expect(try store.integer("SELECT count(*) FROM batch") == 1)
        }
        #expect(try open(settings).1.outbox.first { $0.table == "rows" }?.lastFrozen == BatchNumber(3))
    }
}
