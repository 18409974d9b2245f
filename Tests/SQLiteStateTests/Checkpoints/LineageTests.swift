import Engine
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A new lineage counts what was known to be delivered, and sends the rest again")
struct LineageTests {
    private let directory: TemporaryDirectory
    private var file: String { directory.file("state.db") }
    init() throws { directory = try TemporaryDirectory() }

    private static func chunks(_ range: ClosedRange<Int>, table: String = "rows") -> [OutboxChunk] {
        range.map { PlainJob.chunk(0, epoch: 1, sequence: $0, table: table) }
    }

    /// Three batches of rows, the first delivered, and a chunk that is pending; of the other table only a pending one.
    private func fill() throws {
        let store = try reopened(directory.path)
        _ = try store.open(PlainJob.topology())
        let rows = LineageTests.chunks(0...4)
        let batches = [PlainJob.batch(1, [rows[0]]), PlainJob.batch(2, [rows[3], rows[1]]), PlainJob.batch(3, [rows[2]])]
        try store.commit(
            PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), rows: rows + LineageTests.chunks(9...9, table: "other"))], frozen: batches))
        try store.commit(PlainJob.cut(2, delivered: [batches[0]]))
    }

    @Test func whatWasFrozenAndNotDeliveredIsPendingAgainInOrder() throws {
        try fill()
        try StateAssembly.beginLineage(Lineage(4), in: file)
        let store = try reopened(directory.path)
        let restored = try store.open(PlainJob.topology())
        #expect(restored.lineage == Lineage(4) && restored.epoch == Epoch(2) && !restored.isNew)
        let rows = try #require(restored.outbox.first { $0.table == "rows" })
        #expect(rows.lastFrozen == nil && rows.undelivered.isEmpty)
        #expect(rows.pending == Array(LineageTests.chunks(1...4)), "in the order in which the rows came")
        #expect(restored.outbox.first { $0.table == "other" }?.pending == LineageTests.chunks(9...9, table: "other"))
        #expect(
            restored.rollback
                == RollbackPlan(
                    stage: .due, lineage: Lineage(4),
                    tables: [
                        "rows": [LineageEnd(lineage: .first, lastBatch: BatchNumber(1))],
                        "other": [LineageEnd(lineage: .first, lastBatch: nil)],
                    ]))
    }

    @Test func tablesThatOnlyALaterCheckpointKnowsAreRolledBackFromToo() throws {
        try fill()
        try StateAssembly.beginLineage(Lineage(2), tables: ["rows", "fraud"], in: file)
        let restored = try reopened(directory.path).open(PlainJob.topology())
        #expect(restored.tablesToRollBack(of: PlainJob.topology()).sorted() == ["fraud", "other", "rows"])
        #expect(restored.rollback?.tables["fraud"] == [LineageEnd(lineage: .first, lastBatch: nil)], "nothing of it counts")
        #expect(!restored.outboxTables(of: PlainJob.topology()).contains { $0.name == "fraud" }, "nothing can wait for it")
    }

    @Test func batchesAreNumberedFromOneAgain() throws {
        try fill()
        try StateAssembly.beginLineage(Lineage(2), in: file)
        do {
            let store = try reopened(directory.path)
            let restored = try store.open(PlainJob.topology())
            var outbox = Outbox(lineage: restored.lineage, tables: restored.outbox, flushInterval: .zero, limits: .init(), now: .zero)
            let frozen = outbox.freeze(now: .zero, everything: true)
            #expect(frozen.map(\.number) == [BatchNumber(1), BatchNumber(1)] && frozen.allSatisfy { $0.lineage == Lineage(2) })
            try store.commit(EpochCut(epoch: Epoch(3), tasks: [], frozen: frozen, delivered: [], wallClock: 0))
            try store.commit(EpochCut(epoch: Epoch(4), tasks: [], frozen: [], delivered: frozen.map(\.id), wallClock: 0))
        }
        let store = try reopened(directory.path)
        let restored = try store.open(PlainJob.topology())
        #expect(restored.outbox.allSatisfy { $0.lastFrozen == BatchNumber(1) && $0.pending.isEmpty && $0.undelivered.isEmpty })
        let facts = try store.checkpointFacts()
        #expect(facts.lineage == Lineage(2) && facts.tables.allSatisfy { $0.lastDelivered == BatchNumber(1) })
    }

    @Test func theEndsOfAllEarlierLineagesStay() throws {
        try fill()
        try StateAssembly.beginLineage(Lineage(2), in: file)
        try StateAssembly.beginLineage(Lineage(5), in: file)
        let store = try reopened(directory.path)
        #expect(
            try store.open(PlainJob.topology()).rollback?.tables["rows"] == [
                LineageEnd(lineage: .first, lastBatch: BatchNumber(1)), LineageEnd(lineage: Lineage(2), lastBatch: nil),
            ])
    }

    @Test func theRollbacksProgressSurvivesARestart() throws {
        try fill()
        try StateAssembly.beginLineage(Lineage(2), in: file)
        for (stage, isFinal) in [(RollbackPlan.Stage.due, false), (.again, true)] {
            let store = try reopened(directory.path)
            #expect(try store.open(PlainJob.topology()).rollback?.stage == stage)
            try store.rollbackDone(isFinal: isFinal)
        }
        #expect(try reopened(directory.path).open(PlainJob.topology()).rollback == nil)
    }

    @Test func aLineageThatIsNotLaterIsRefused() throws {
        try fill()
        for lineage in [Lineage(0), Lineage(1)] {
            let error = #expect(throws: StateError.self) { try StateAssembly.beginLineage(lineage, in: file) }
            #expect(error?.kind == .invalid)
        }
    }

    @Test func anAssembledFileBeginsItsLineageBeforeItAppears() throws {
        try fill()
        let base = directory.file("base")
        do {
            let store = try reopened(directory.path)
            _ = try store.open(PlainJob.topology())
            try store.beginBase(at: base)
            while try store.stepBase() == nil {}
        }
        let copy = try TemporaryDirectory()
        let facts = try StateAssembly.assemble(base: base, deltas: [], into: copy.file("state.db"), beginning: Lineage(2))
        #expect(facts.lineage == Lineage(2))
        let restored = try reopened(copy.path).open(PlainJob.topology())
        #expect(restored.rollback?.stage == .due && restored.lineage == Lineage(2))
        #expect(restored.outbox.first { $0.table == "rows" }?.pending.count == 4)
    }

    @Test("a later lineage's smaller numbers cost the present one's last batch nothing")
    func pruningKeepsTheLastBatchOfEachLineage() throws {
        var settings = SQLiteStateStore.Settings()
        settings.ledgerKeepMilliseconds = 0
        try fill()
        try StateAssembly.beginLineage(Lineage(2), in: file)
        do {
            let store = try reopened(directory.path, settings: settings)
            _ = try store.open(PlainJob.topology())
            let chunk = PlainJob.chunk(0, epoch: 3)
            let batch = SinkBatch(
                table: "rows", lineage: Lineage(2), number: BatchNumber(1), layout: PlainJob.rows, partition: 1, chunks: [chunk])
            try store.commit(
                PlainJob.cut(
                    3, [PlainJob.taskCut(PlainJob.task(0), position: PlainJob.position(3), rows: [chunk])], frozen: [batch], wallClock: 10))
            try store.commit(
                PlainJob.cut(4, [PlainJob.taskCut(PlainJob.task(0), position: PlainJob.position(4))], delivered: [batch], wallClock: 20))
            try store.commit(PlainJob.cut(5, [PlainJob.taskCut(PlainJob.task(0), position: PlainJob.position(5))], wallClock: 90))
            try store.exclusively { try store.pruneLedgers() }
        }
        let restored = try reopened(directory.path, settings: settings).open(PlainJob.topology())
        #expect(restored.outbox.first { $0.table == "rows" }?.lastFrozen == BatchNumber(1))
    }
}
