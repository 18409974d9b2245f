/// Encoded rows that one task produced for one partition of one table in one epoch; the outbox stores and moves these whole.
public struct OutboxChunk: Sendable, Equatable {
    public let id: ChunkID
    /// The table as these rows were written for it.
    public let layout: OutputTable
    /// The table partition of all its rows, as `RowPartitioning` numbers it.
    public let partition: Int32
    public let rowCount: Int
    /// The rows one after the other, each the layout's columns in order as `OutputType` says.
    public let bytes: [UInt8]

    public init(id: ChunkID, layout: OutputTable, partition: Int32, rowCount: Int, bytes: [UInt8]) {
        self.id = id
        self.layout = layout
        self.partition = partition
        self.rowCount = rowCount
        self.bytes = bytes
    }
}

/// Where a chunk of rows comes from; unique for ever within a lineage.
public struct ChunkID: Hashable, Sendable {
    public let table: String
    public let task: TaskID
    public let epoch: Epoch
    /// Counted from 0 within the task's epoch and table.
    public let sequence: Int

    public init(table: String, task: TaskID, epoch: Epoch, sequence: Int) {
        self.table = table
        self.task = task
        self.epoch = epoch
        self.sequence = sequence
    }
}

/// A frozen range of outbox rows: what one INSERT delivers. Its number, rows and their order never change.
public struct SinkBatch: Sendable {
    public let table: String
    public let lineage: Lineage
    public let number: BatchNumber
    /// The table as all its rows were written for it.
    public let layout: OutputTable
    /// The table partition of all its rows.
    public let partition: Int32
    /// The rows in their order: those of the first chunk, then those of the second …; `_row` counts from 0 over all.
    public let chunks: [OutboxChunk]

    public init(table: String, lineage: Lineage, number: BatchNumber, layout: OutputTable, partition: Int32, chunks: [OutboxChunk]) {
        precondition(chunks.allSatisfy { $0.layout == layout }, "batch \(table):\(number) has rows of another layout")
        self.table = table
        self.layout = layout
        self.lineage = lineage
        self.number = number
        self.partition = partition
        self.chunks = chunks
    }

    public var rowCount: Int { chunks.reduce(0) { $0 + $1.rowCount } }
    public var byteCount: Int { chunks.reduce(0) { $0 + $1.bytes.count } }
}
