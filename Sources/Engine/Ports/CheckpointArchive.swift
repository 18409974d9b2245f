/// Where a worker's checkpoints go, and what says whose job it is.
///
/// An implementor guarantees: of all workers that claim or publish for a job, at most one goes on without an error; a
/// checkpoint is durable when `publish` returns. Every call blocks; errors are `Failure`s, of kind `fenced` when another
/// worker has the job, and `retry` when the archive can't be reached or its answer was lost.
package protocol CheckpointArchive: AnyObject, Sendable {
    /// Makes sure that this worker may go on from its state; called before it delivers or publishes anything.
    /// `change`: what was done to the state since its last epoch. When it supersedes what the archive holds, none of that is
    /// published again, and the standing covers nothing: the first checkpoint, a base, is what claims the job.
    func claim(_ facts: CheckpointFacts, _ change: ChangeAtRest) throws -> ArchiveStanding
    /// Stores the files of a checkpoint; calling it again with the same one after `retry` is fine.
    func publish(_ checkpoint: FinishedCheckpoint) throws -> PublishedCheckpoint
    /// Throws `fenced` when another worker has the job by now.
    func confirmOwnership() throws
    /// Removes what no checkpoint that is to be kept needs.
    func collect() throws
}

/// What an archive holds of the state that a worker goes on from.
package struct ArchiveStanding: Sendable, Equatable {
    /// The epoch up to which the state is in the archive, in a checkpoint that a delta may continue; nil when the next one
    /// has to be a base.
    package let continues: Epoch?
    /// The epoch up to which the state is in the archive at all; nil when nothing of this lineage is.
    package let covered: Epoch?
    /// What a restore of that checkpoint has to fetch.
    package let chain: CheckpointChain
    /// The output tables that it knows.
    package let tables: Set<String>

    package init(continues: Epoch?, covered: Epoch?, chain: CheckpointChain = CheckpointChain(), tables: Set<String> = []) {
        self.continues = continues
        self.covered = covered
        self.chain = chain
        self.tables = tables
    }
}

/// A base and the deltas after it.
package struct CheckpointChain: Sendable, Equatable {
    package var baseBytes: Int
    package var deltas: Int
    package var deltaBytes: Int

    package init(baseBytes: Int = 0, deltas: Int = 0, deltaBytes: Int = 0) {
        self.baseBytes = baseBytes
        self.deltas = deltas
        self.deltaBytes = deltaBytes
    }
}

/// What was done to a state since its last epoch: it is in no epoch's changes, and checkpoints of that epoch may lack it.
package enum ChangeAtRest: Sendable, Equatable {
    case none
    /// The state is of other versions: the next checkpoint has to be a base.
    case changed
    /// Also, an operator has said that nobody is to go on from a checkpoint of before: it lets in versions of the job that are
    /// kept out for good now, or has other partitions.
    case supersedes
}
