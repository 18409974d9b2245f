/// Everything that one epoch changed in a worker: committed in one transaction or not at all.
public struct EpochCut: Sendable {
    public let epoch: Epoch
    public let tasks: [TaskCut]
    /// Batches frozen with this epoch; their rows are of this epoch or earlier ones.
    public let frozen: [SinkBatch]
    /// Batches that were found delivered since the last cut.
    public let delivered: [SinkBatchID]
    /// The wall clock at the cut, milliseconds since 1970 UTC: for how long ledgers are kept, and to find a clock that was set back.
    public let wallClock: Int64
    /// Topics that grew and whose partitions of before are read to their ends with this cut, with how many partitions they
    /// have now: such a state can be brought to those.
    public var readBefore: [String: Int] = [:]
    /// What an operator had passed over with this cut.
    public var skipped: [SkippedRecords] = []

    public init(epoch: Epoch, tasks: [TaskCut], frozen: [SinkBatch], delivered: [SinkBatchID], wallClock: Int64) {
        self.epoch = epoch
        self.tasks = tasks
        self.frozen = frozen
        self.delivered = delivered
        self.wallClock = wallClock
    }
}

/// Names a sink batch of the job.
public struct SinkBatchID: Hashable, Sendable, CustomStringConvertible {
    public let table: String
    public let lineage: Lineage
    public let number: BatchNumber

    public init(table: String, lineage: Lineage, number: BatchNumber) {
        self.table = table
        self.lineage = lineage
        self.number = number
    }

    /// `table:number`, as `tidemark resolve --batch` takes it.
    public var description: String { "\(table):\(number)" }
}

extension SinkBatch {
    public var id: SinkBatchID { SinkBatchID(table: table, lineage: lineage, number: number) }
}
