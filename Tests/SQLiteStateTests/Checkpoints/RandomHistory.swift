import Engine
import Simulation

@testable import SQLiteState

/// A run of random epochs: records changed, removed and closed by windows, batches between tasks that wait, rows that are
/// pending, frozen and delivered.
struct RandomHistory {
    var random: SeededRandom
    private(set) var epoch: UInt64 = 0
    var lineage = Lineage.first
    private var closedThrough = Int64(0)
    private var windows: [Int: Set<Int64>] = [:]
    private var inFlight: [MessageBatch] = []
    private var pending: [String: [OutboxChunk]] = [:]
    private var frozen: [String: [SinkBatch]] = [:]
    private var lastNumber: [String: UInt64] = [:]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next(upTo limit: Int) -> Int { Int.random(in: 0..<max(limit, 1), using: &random) }

    /// The next epoch, with about `changes` changed records a task of up to `recordBytes` each.
    mutating func cut(changes: Int = 20, recordBytes: Int = 50) -> EpochCut {
        epoch += 1
        if next(upTo: 4) == 0 { closedThrough += 1_000 }
        let delivered = deliver()
        let received = next(upTo: 3) == 0 ? [] : inFlight.filter { _ in next(upTo: 2) == 0 }
        inFlight.removeAll { batch in received.contains(batch) }
        var tasks = (0..<3).filter { _ in next(upTo: 5) > 0 }.map { senderCut($0, changes: changes, recordBytes: recordBytes) }
        for number in 0..<2 {
            let own = received.filter { $0.id.to == PlainJob.receiver(number) }.map(\.id)
            if !own.isEmpty { tasks.append(PlainJob.taskCut(PlainJob.receiver(number), watermark: closedThrough - 5_000, received: own)) }
        }
        return EpochCut(epoch: Epoch(epoch), tasks: tasks, frozen: freeze(), delivered: delivered, wallClock: Int64(epoch) * 100)
    }

    private mutating func senderCut(_ task: Int, changes: Int, recordBytes: Int) -> TaskCut {
        var rows: [OutboxChunk] = []
        for (sequence, table) in ["rows", "other"].enumerated() where next(upTo: 2) == 0 {
            rows.append(
                PlainJob.chunk(
                    task, epoch: epoch, sequence: sequence, table: table, partition: Int32(next(upTo: 2)), rows: 1 + next(upTo: 4)))
            pending[table, default: []].append(rows.last!)
        }
        var sent: [MessageBatch] = []
        if next(upTo: 3) == 0 {
            sent = [PlainJob.message(from: task, to: next(upTo: 2), epoch: epoch)]
            inFlight += sent
        }
        return PlainJob.taskCut(
            PlainJob.task(task), watermark: closedThrough, position: next(upTo: 4) == 0 ? nil : PlainJob.position(Int64(epoch) * 10),
            deltas: deltas(task, changes, recordBytes), rows: rows, sent: sent
        )
    }

    private mutating func deltas(_ task: Int, _ changes: Int, _ recordBytes: Int) -> [StateDelta] {
        var keyed = PlainChanges()
        var windowed = PlainChanges()
        for _ in 0..<next(upTo: changes + 1) {
            let key = [UInt8](repeating: UInt8(next(upTo: 30)), count: next(upTo: 3))
            let record = [UInt8](repeating: UInt8(next(upTo: 256)), count: next(upTo: recordBytes + 1))
            switch next(upTo: 4) {
            case 0: keyed.removed.append(key)
            case 1: keyed.stored.append((key, record))
            default:
                let start = closedThrough + 1_000 * Int64(next(upTo: 4))
                windows[task, default: []].insert(start)
                windowed.stored.append((PlainChanges.windowKey(start, key), record))
            }
        }
        windowed.closed = windows[task, default: []].filter { $0 < closedThrough }.sorted()
        windows[task]?.subtract(windowed.closed)
        return [keyed.delta("keyed"), windowed.delta("windowed")]
    }

    private mutating func freeze() -> [SinkBatch] {
        var made: [SinkBatch] = []
        for table in ["rows", "other"] where next(upTo: 2) == 0 {
            let chunks = pending.removeValue(forKey: table) ?? []
            for partition in Set(chunks.map(\.partition)).sorted() {
                lastNumber[table, default: 0] += 1
                made.append(
                    SinkBatch(
                        table: table, lineage: lineage, number: BatchNumber(lastNumber[table]!), layout: chunks[0].layout,
                        partition: partition, chunks: chunks.filter { $0.partition == partition }
                    ))
                frozen[table, default: []].append(made.last!)
            }
        }
        return made
    }

    /// Delivers some of what was frozen, in order.
    private mutating func deliver() -> [SinkBatchID] {
        var delivered: [SinkBatchID] = []
        for table in ["rows", "other"] {
            let count = next(upTo: min(frozen[table, default: []].count, 3) + 1)
            delivered += frozen[table, default: []].prefix(count).map(\.id)
            frozen[table]?.removeFirst(count)
        }
        return delivered
    }
}
