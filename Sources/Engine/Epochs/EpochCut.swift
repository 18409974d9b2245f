/// Everything that one epoch changed in a worker: committed in one transaction or not at all.
package struct EpochCut: Sendable {
    package let epoch: Epoch
    package let tasks: [TaskCut]
    /// Batches frozen with this epoch; their rows are of this epoch or earlier ones.
    package let frozen: [SinkBatch]
    /// Batches that were found delivered since the last cut.
    package let delivered: [SinkBatchID]
    /// The wall clock at the cut, milliseconds since 1970 UTC: for how long ledgers are kept, and to find a clock that was set back.
    package let wallClock: Int64
    /// Topics that grew and whose partitions of before are read to their ends with this cut, with how many partitions they
    /// have now: such a state can be brought to those.
    package var readBefore: [String: Int] = [:]
    /// What an operator had passed over with this cut.
    package var skipped: [SkippedRecords] = []

    package init(epoch: Epoch, tasks: [TaskCut], frozen: [SinkBatch], delivered: [SinkBatchID], wallClock: Int64) {
        self.epoch = epoch
        self.tasks = tasks
        self.frozen = frozen
        self.delivered = delivered
        self.wallClock = wallClock
    }
}

/// Names a sink batch of the job.
package struct SinkBatchID: Hashable, Sendable, CustomStringConvertible {
    package let table: String
    package let lineage: Lineage
    package let number: BatchNumber

    package init(table: String, lineage: Lineage, number: BatchNumber) {
        self.table = table
        self.lineage = lineage
        self.number = number
    }

    /// `table:number`, as `tidemark resolve --batch` takes it.
    package var description: String { "\(table):\(number)" }
}

extension SinkBatch {
    package var id: SinkBatchID { SinkBatchID(table: table, lineage: lineage, number: number) }
}
