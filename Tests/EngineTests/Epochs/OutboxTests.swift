import Simulation
import Testing

@testable import Engine

@Suite("Promise 4: a batch keeps its number, its rows and their order for ever, and leaves after its epoch is durable")
struct OutboxTests {
    private static func outbox(_ tables: [String] = ["t"], limits: Outbox.Limits = Outbox.Limits()) -> Outbox {
        let restored = tables.map { RestoredOutboxTable(table: $0, lastFrozen: nil, pending: [], undelivered: []) }
        return Outbox(lineage: .first, tables: restored, flushInterval: .seconds(1), limits: limits, now: .zero)
    }

    static let table = OutputTable("t", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time)])

    static func chunk(_ table: String = "t", partition: Int32 = 0, epoch: UInt64 = 1, sequence: Int = 0, rows: Int = 1, bytes: Int = 10)
        -> OutboxChunk
    {
        let id = ChunkID(table: table, task: TaskID(stage: "s", partition: 0), epoch: Epoch(epoch), sequence: sequence)
        return OutboxChunk(
            id: id, layout: OutboxTests.table, partition: partition, rowCount: rows, bytes: Array(repeating: 0, count: bytes))
    }

    @Test func nothingLeavesBeforeItsEpochIsDurable() {
        var outbox = OutboxTests.outbox()
        outbox.add([OutboxTests.chunk()])
        #expect(outbox.freeze(now: .zero).count == 1)
        #expect(outbox.next(for: "t") == nil)
        outbox.committed()
        #expect(outbox.next(for: "t")?.number == BatchNumber(1))
    }

    @Test func atMostOneFlushATableIsFrozenAndUndelivered() {
        var outbox = OutboxTests.outbox()
        var frozen = 0
        for epoch in UInt64(1)...20 {
            outbox.add([OutboxTests.chunk(epoch: epoch)])
            frozen += outbox.freeze(now: .seconds(Int64(epoch))).count
            outbox.committed()
        }
        #expect(frozen == 1, "the sink is down: what comes later waits for the next batch")
        outbox.delivered(outbox.next(for: "t")!.id)
        let next = outbox.freeze(now: .seconds(21))
        #expect(next.map(\.rowCount) == [19] && next.map(\.number) == [BatchNumber(2)])
    }

    @Test func aFlushWaitsForTheInterval() {
        var outbox = OutboxTests.outbox()
        outbox.add([OutboxTests.chunk()])
        #expect(outbox.freeze(now: .zero).count == 1, "the first row does not wait")
        outbox.committed()
        outbox.delivered(outbox.next(for: "t")!.id)
        outbox.add([OutboxTests.chunk(epoch: 2)])
        #expect(outbox.freeze(now: .milliseconds(999)).isEmpty)
        #expect(outbox.freeze(now: .milliseconds(1000)).count == 1)
    }

    @Test(arguments: [(100, 1, 10), (1, 100, 10), (40, 40, 3)])
    func batchesKeepTheirLimitsOfRowsAndBytes(rows: Int, bytes: Int, expected: Int) {
        var outbox = OutboxTests.outbox(limits: Outbox.Limits(batchRows: 150, batchBytes: 150, bytes: 1 << 20))
        outbox.add((0..<10).map { OutboxTests.chunk(sequence: $0, rows: rows, bytes: bytes) })
        let frozen = outbox.freeze(now: .zero)
        #expect(frozen.allSatisfy { $0.rowCount <= 150 && $0.byteCount <= 150 })
        #expect(frozen.flatMap(\.chunks).map(\.id.sequence) == Array(0..<10))
        #expect(frozen.count == (expected == 3 ? 4 : 10))
    }

    @Test func fullBatchesAreFrozenWithoutWaiting() {
        var outbox = OutboxTests.outbox(limits: Outbox.Limits(batchRows: 10, batchBytes: 1 << 20, bytes: 1 << 20))
        outbox.add([OutboxTests.chunk()])
        #expect(outbox.freeze(now: .zero).count == 1)
        outbox.committed()
        outbox.add([OutboxTests.chunk(epoch: 2, rows: 9)])
        #expect(outbox.freeze(now: .milliseconds(1)).isEmpty)
        outbox.add([OutboxTests.chunk(epoch: 3, rows: 1)])
        #expect(outbox.freeze(now: .milliseconds(2)).map(\.rowCount) == [10], "although the first is undelivered")
    }

    @Test func aBatchLiesInOnePartitionOfOneTable() {
        var outbox = OutboxTests.outbox(["a", "b"])
        outbox.add((0..<12).map { OutboxTests.chunk($0 % 2 == 0 ? "a" : "b", partition: Int32($0 % 3), sequence: $0) })
        let frozen = outbox.freeze(now: .zero)
        #expect(
            frozen.map { "\($0.table) \($0.number) \($0.partition) \($0.chunks.map(\.id.sequence))" } == [
                "a 1 0 [0, 6]", "a 2 1 [4, 10]", "a 3 2 [2, 8]", "b 1 0 [3, 9]", "b 2 1 [1, 7]", "b 3 2 [5, 11]",
            ])
    }

    @Test func aDrainFreezesEverything() {
        var outbox = OutboxTests.outbox()
        outbox.add([OutboxTests.chunk()])
        _ = outbox.freeze(now: .zero)
        outbox.committed()
        outbox.add([OutboxTests.chunk(epoch: 2)])
        #expect(outbox.freeze(now: .milliseconds(1), everything: true).count == 1)
        outbox.committed()
        #expect(!outbox.isEmpty)
        for number in UInt64(1)...2 {
            let batch = outbox.next(for: "t")!
            #expect(batch.number == BatchNumber(number))
            outbox.delivered(batch.id)
        }
        #expect(outbox.bytes == 0 && !outbox.isEmpty, "that they were delivered is not recorded yet")
        #expect(outbox.takeDelivered().map(\.number) == [BatchNumber(1), BatchNumber(2)])
        #expect(outbox.isEmpty)
    }

    @Test func aRestartGoesOnWithTheSameBatchesAndNumbers() {
        let undelivered = SinkBatch(
            table: "t", lineage: .first, number: BatchNumber(7), layout: OutboxTests.table, partition: 0,
            chunks: [OutboxTests.chunk(epoch: 5)])
        let restored = RestoredOutboxTable(
            table: "t", lastFrozen: BatchNumber(7), pending: [OutboxTests.chunk(epoch: 6)], undelivered: [undelivered])
        var outbox = Outbox(lineage: .first, tables: [restored], flushInterval: .seconds(1), limits: Outbox.Limits(), now: .seconds(100))
        #expect(outbox.bytes == 20)
        #expect(outbox.next(for: "t")?.id == undelivered.id)
        #expect(outbox.freeze(now: .seconds(100)).isEmpty, "one flush is frozen already")
        outbox.delivered(undelivered.id)
        #expect(outbox.freeze(now: .seconds(100)).map(\.number) == [BatchNumber(8)])
    }

    @Test func readingIsHeldAboveTheLimitUntilHalfOfItIsGone() {
        var outbox = OutboxTests.outbox(limits: Outbox.Limits(batchRows: 1, batchBytes: 1 << 20, bytes: 100))
        outbox.add((0..<10).map { OutboxTests.chunk(sequence: $0) })
        #expect(!outbox.shouldHoldReading(isHolding: false), "at the limit is not above it")
        outbox.add([OutboxTests.chunk(sequence: 10)])
        #expect(outbox.shouldHoldReading(isHolding: false))
        _ = outbox.freeze(now: .zero)
        outbox.committed()
        var delivered = 0
        while outbox.shouldHoldReading(isHolding: true) {
            outbox.delivered(outbox.next(for: "t")!.id)
            delivered += 1
        }
        #expect(delivered == 6)
    }

    /// Whatever comes, in whatever order: every chunk lies in exactly one batch, numbers are dense, bytes add up.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func everyChunkIsDeliveredOnceInDenseBatches(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let tables = ["a", "b", "c"]
        var outbox = OutboxTests.outbox(tables, limits: Outbox.Limits(batchRows: 50, batchBytes: 400, bytes: 2_000))
        var added: [ChunkID] = []
        var delivered: [SinkBatch] = []
        var frozen: [SinkBatchID: [ChunkID]] = [:]
        for step in 0..<400 {
            let chunks = (0..<Int.random(in: 0...4, using: &random)).map { sequence in
                OutboxTests.chunk(
                    tables.randomElement(using: &random)!, partition: Int32.random(in: 0...2, using: &random), epoch: UInt64(step),
                    sequence: sequence, rows: Int.random(in: 1...30, using: &random), bytes: Int.random(in: 1...200, using: &random)
                )
            }
            added += chunks.map(\.id)
            outbox.add(chunks)
            for batch in outbox.freeze(now: .milliseconds(step * 100), everything: step == 399) {
                frozen[batch.id] = batch.chunks.map(\.id)
            }
            outbox.committed()
            for table in tables {
                while let batch = outbox.next(for: table), step == 399 || Bool.random(using: &random) {
                    outbox.delivered(batch.id)
                    delivered.append(batch)
                    #expect(frozen[batch.id] == batch.chunks.map(\.id), "the batch is the one that was frozen")
                }
            }
        }
        let carried = delivered.flatMap(\.chunks).map(\.id)
        #expect(carried.count == added.count && Set(carried) == Set(added))
        for table in tables {
            let numbers = delivered.filter { $0.table == table }.map(\.number.number)
            #expect(numbers == Array(1...UInt64(max(numbers.count, 1))))
        }
        #expect(outbox.bytes == 0)
    }
}
