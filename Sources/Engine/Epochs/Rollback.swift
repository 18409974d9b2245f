/// What has to leave the sink after a restore: every row of an earlier lineage that the restored state does not count.
///
/// The rows that stay are those of the present lineage, and those of batches that `tables` names; whatever else the sink
/// holds of the job was delivered after the checkpoint, and the present lineage computes it again.
public struct RollbackPlan: Sendable, Equatable {
    public enum Stage: String, Sendable {
        /// Nothing is known to be rolled back: before anything is delivered, all of it must be.
        case due
        /// It was rolled back once; once more at the next checkpoint, for what a process that was cut off delivered late.
        case again
    }

    public let stage: Stage
    /// The present lineage: only rows of earlier ones are rolled back.
    public let lineage: Lineage
    /// What counts of each table's earlier lineages, in their order. Of a lineage that is not listed, nothing counts,
    /// and of a table that is not listed, nothing of any earlier lineage.
    public let tables: [String: [LineageEnd]]

    public init(stage: Stage, lineage: Lineage, tables: [String: [LineageEnd]]) {
        self.stage = stage
        self.lineage = lineage
        self.tables = tables
    }
}

/// Where an earlier lineage of this history ended in one table.
public struct LineageEnd: Sendable, Equatable {
    public let lineage: Lineage
    /// The last batch that counts; nil when none does.
    public let lastBatch: BatchNumber?

    public init(lineage: Lineage, lastBatch: BatchNumber?) {
        self.lineage = lineage
        self.lastBatch = lastBatch
    }
}

/// How a rollback ended.
public enum RollbackOutcome: Sendable, Equatable {
    /// No row is left that the plan names; how many were found at first, of each table.
    case rolledBack(rowsPerTable: [String: Int])
    /// `isCancelled` said so first: what is left is unknown, and the rollback is still due.
    case cancelled
}
