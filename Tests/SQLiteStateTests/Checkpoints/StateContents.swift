import Engine

@testable import SQLiteState

/// Everything that a state file holds, for comparing two: what a start would find, all records, and the ledgers.
struct StateContents: Equatable {
    var lineage: Lineage
    var identity: String
    var epoch: Epoch
    var partitions: [String: Int]
    var tasks: [TaskID: RestoredTask]
    var messages: [MessageBatch]
    var outbox: [Table]
    var rollback: RollbackPlan?
    var records: [Int: [String: [[UInt8]: [UInt8]]]] = [:]
    var batches: [String] = []
    var offsets: [String] = []

    struct Table: Equatable {
        let name: String
        let lastFrozen: BatchNumber?
        let pending: [OutboxChunk]
        let undelivered: [SinkBatchID]
        let chunks: [[OutboxChunk]]
    }

    /// Of a store that is open; changes nothing in it.
    init(of store: SQLiteStateStore) throws {
        try self.init(store, store.inspect(PlainJob.topology())!.restored)
    }

    /// Of what a start finds in a directory.
    init(ofDirectory directory: String) throws {
        let store = try reopened(directory)
        try self.init(store, store.open(PlainJob.topology()))
    }

    private init(_ store: SQLiteStateStore, _ found: RestoredState) throws {
        (lineage, identity, epoch, partitions) = (found.lineage, found.identity, found.epoch, found.partitions)
        (tasks, messages, rollback) = (found.tasks, found.messages, found.rollback)
        outbox = found.outbox.map {
            Table(
                name: $0.table, lastFrozen: $0.lastFrozen, pending: $0.pending, undelivered: $0.undelivered.map(\.id),
                chunks: $0.undelivered.map(\.chunks))
        }
        for number in 0..<3 {
            let task = PlainTask(id: PlainJob.task(number))
            try store.restore(task, memoryBudget: .max)
            for table in task.tables { records[number, default: [:]][table.schema.table] = table.rows }
        }
        batches = try store.lines(
            "SELECT output_table, lineage, number, partition, rows, frozen_epoch, delivered_epoch, delivered_at, hex(origins) FROM batch ORDER BY 1, 2, 3",
            columns: 9)
        offsets = try store.lines("SELECT epoch, committed_at, hex(offsets) FROM epoch_offsets ORDER BY 1", columns: 3)
    }

    /// The same without ledger entries that only one of both has, because it was pruned and the other not yet.
    func ledgersIn(_ other: StateContents) -> StateContents {
        var common = self
        common.batches = batches.filter(Set(other.batches).contains)
        common.offsets = offsets.filter(Set(other.offsets).contains)
        return common
    }
}

extension SQLiteStateStore {
    func lines(_ sql: String, columns: Int32) throws -> [String] {
        let statement = try Statement(database, sql)
        var lines: [String] = []
        while try statement.step() {
            lines.append((0..<columns).map { statement.isNull($0) ? "-" : statement.text($0) }.joined(separator: "|"))
        }
        return lines
    }
}
