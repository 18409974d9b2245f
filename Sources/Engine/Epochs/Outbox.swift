/// The worker's outgoing rows: gathers the chunks of all tasks, freezes them into batches, and remembers what became of them.
///
/// A synchronous state machine. The order of calls in one epoch: `add` the cut's chunks, `freeze`, `takeDelivered`,
/// commit; then `committed`, which lets the newly frozen batches out. Nothing leaves before that.
public struct Outbox: Sendable {
    public struct Limits: Sendable {
        /// A batch is frozen at the latest when this many rows wait.
        public var batchRows: Int
        /// … or this many bytes.
        public var batchBytes: Int
        /// Above this many undelivered bytes the worker stops reading.
        public var bytes: Int

        public init(batchRows: Int = 400_000, batchBytes: Int = 16 << 20, bytes: Int = 48 << 20) {
            self.batchRows = batchRows
            self.batchBytes = batchBytes
            self.bytes = bytes
        }
    }

    private struct Table {
        var nextNumber: BatchNumber
        var lastFreeze: Duration
        /// Rows not frozen yet, in order of arrival.
        var pending: [OutboxChunk] = []
        /// Frozen in the epoch that is being committed.
        var committing: [SinkBatch] = []
        /// Frozen durably, undelivered, in order of numbers.
        var ready: [SinkBatch] = []
        var pendingRows = 0
        var pendingBytes = 0
    }

    package let lineage: Lineage
    /// The tables' names, in the order in which they were given.
    package let names: [String]
    private let flushInterval: Duration
    private let limits: Limits
    private var tables: [String: Table]
    private var delivered: [SinkBatchID] = []
    /// Bytes of rows that are not known to be delivered.
    package private(set) var bytes = 0

    package init(lineage: Lineage, tables: [RestoredOutboxTable], flushInterval: Duration, limits: Limits, now: Duration) {
        self.lineage = lineage
        self.flushInterval = flushInterval
        self.limits = limits
        names = tables.map(\.table)
        self.tables = [:]
        for restored in tables {
            var table = Table(nextNumber: restored.lastFrozen?.next ?? BatchNumber(1), lastFreeze: now - flushInterval)
            table.ready = restored.undelivered
            table.pending = restored.pending
            table.pendingRows = restored.pending.reduce(0) { $0 + $1.rowCount }
            table.pendingBytes = restored.pending.reduce(0) { $0 + $1.bytes.count }
            bytes += table.pendingBytes + restored.undelivered.reduce(0) { $0 + $1.byteCount }
            self.tables[restored.table] = table
        }
    }

    /// True when so much is undelivered that nothing more should be read; once reading is held back, until half of
    /// that is gone, so that it doesn't stutter.
    package func shouldHoldReading(isHolding: Bool) -> Bool { bytes > (isHolding ? limits.bytes / 2 : limits.bytes) }
    package var isEmpty: Bool { bytes == 0 && delivered.isEmpty }

    package mutating func add(_ chunks: [OutboxChunk]) {
        for chunk in chunks {
            precondition(tables[chunk.id.table] != nil, "rows for the undeclared table \(chunk.id.table)")
            tables[chunk.id.table]!.pending.append(chunk)
            tables[chunk.id.table]!.pendingRows += chunk.rowCount
            tables[chunk.id.table]!.pendingBytes += chunk.bytes.count
            bytes += chunk.bytes.count
        }
    }

    /// Freezes what is due: all rows of a table whose flush interval is over and whose last batch is delivered, or full
    /// batches; `everything` when the worker drains.
    package mutating func freeze(now: Duration, everything: Bool = false) -> [SinkBatch] {
        var frozen: [SinkBatch] = []
        for name in tables.keys.sorted() {
            guard var table = tables[name], !table.pending.isEmpty else { continue }
            let isFlushDue = now - table.lastFreeze >= flushInterval && table.ready.isEmpty && table.committing.isEmpty
            let isFull = table.pendingRows >= limits.batchRows || table.pendingBytes >= limits.batchBytes
            guard everything || isFlushDue || isFull else { continue }
            for group in grouped(table.pending) {
                let batch = SinkBatch(
                    table: name, lineage: lineage, number: table.nextNumber, layout: group.layout, partition: group.partition,
                    chunks: group.chunks
                )
                table.nextNumber = table.nextNumber.next
                table.committing.append(batch)
                frozen.append(batch)
            }
            table.pending = []
            table.pendingRows = 0
            table.pendingBytes = 0
            table.lastFreeze = now
            tables[name] = table
        }
        return frozen
    }

    private struct Group {
        let partition: Int32
        let layout: OutputTable
        var chunks: [OutboxChunk] = []
        var rows = 0
        var bytes = 0
    }

    /// Chunks by table partition and layout, in groups within the batch limits.
    private func grouped(_ chunks: [OutboxChunk]) -> [Group] {
        var groups: [Group] = []
        for partition in Set(chunks.map(\.partition)).sorted() {
            var group: Group?
            for chunk in chunks where chunk.partition == partition {
                if let full = group, !fits(chunk, full) {
                    groups.append(full)
                    group = nil
                }
                var open = group ?? Group(partition: partition, layout: chunk.layout)
                open.chunks.append(chunk)
                open.rows += chunk.rowCount
                open.bytes += chunk.bytes.count
                group = open
            }
            if let group { groups.append(group) }
        }
        return groups
    }

    private func fits(_ chunk: OutboxChunk, _ group: Group) -> Bool {
        chunk.layout == group.layout
            && (group.rows == 0 || group.rows + chunk.rowCount <= limits.batchRows && group.bytes + chunk.bytes.count <= limits.batchBytes)
    }

    /// The epoch that the last frozen batches belong to is durable: they may leave.
    package mutating func committed() {
        for name in tables.keys {
            tables[name]!.ready += tables[name]!.committing
            tables[name]!.committing = []
        }
    }

    /// The batch to deliver next to a table; nil when there is none.
    package func next(for table: String) -> SinkBatch? { tables[table]?.ready.first }

    /// The batch that `next` gave has been delivered.
    package mutating func delivered(_ id: SinkBatchID) {
        guard let first = tables[id.table]?.ready.first, first.id == id else { preconditionFailure("\(id) was not the batch to deliver") }
        tables[id.table]!.ready.removeFirst()
        bytes -= first.byteCount
        delivered.append(id)
    }

    /// What was delivered since the last cut, for the transaction that records it.
    package mutating func takeDelivered() -> [SinkBatchID] {
        defer { delivered = [] }
        return delivered
    }

    /// Rows and batches that wait, per table, for the status page.
    package var depths: [OutboxDepth] {
        tables.map { name, table in
            let batches = table.committing + table.ready
            return OutboxDepth(
                table: name, pendingRows: table.pendingRows, frozenBatches: batches.count,
                frozenRows: batches.reduce(0) { $0 + $1.rowCount }, lastFrozen: table.nextNumber.number - 1
            )
        }.sorted { $0.table < $1.table }
    }
}

/// How much of one table waits to be delivered.
public struct OutboxDepth: Sendable, Equatable {
    public let table: String
    public let pendingRows: Int
    public let frozenBatches: Int
    public let frozenRows: Int
    /// The number of the last batch frozen; 0 before the first.
    public let lastFrozen: UInt64
}
