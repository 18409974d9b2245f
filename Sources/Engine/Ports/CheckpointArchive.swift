/// Where a worker's checkpoints go, and what says whose job it is.
///
/// An implementor guarantees: of all workers that claim or publish for a job, at most one goes on without an error; a
/// checkpoint is durable when `publish` returns. Every call blocks; errors are `Failure`s, of kind `fenced` when another
/// worker has the job, and `retry` when the archive can't be reached or its answer was lost.
public protocol CheckpointArchive: AnyObject, Sendable {
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
public struct ArchiveStanding: Sendable, Equatable {
    /// The epoch up to which the state is in the archive, in a checkpoint that a delta may continue; nil when the next one
    /// has to be a base.
    public let continues: Epoch?
    /// The epoch up to which the state is in the archive at all; nil when nothing of this lineage is.
    public let covered: Epoch?
    /// What a restore of that checkpoint has to fetch.
    public let chain: CheckpointChain
    /// The output tables that it knows.
    public let tables: Set<String>

    public init(continues: Epoch?, covered: Epoch?, chain: CheckpointChain = CheckpointChain(), tables: Set<String> = []) {
        self.continues = continues
        self.covered = covered
        self.chain = chain
        self.tables = tables
    }
}

/// A base and the deltas after it.
public struct CheckpointChain: Sendable, Equatable {
    public var baseBytes: Int
    public var deltas: Int
    public var deltaBytes: Int

    public init(baseBytes: Int = 0, deltas: Int = 0, deltaBytes: Int = 0) {
        self.baseBytes = baseBytes
        self.deltas = deltas
        self.deltaBytes = deltaBytes
    }
}

/// What was done to a state since its last epoch: it is in no epoch's changes, and checkpoints of that epoch may lack it.
public enum ChangeAtRest: Sendable, Equatable {
    case none
    /// The state is of other versions: the next checkpoint has to be a base.
    case changed
    /// Also, an operator has said that nobody is to go on from a checkpoint of before: it lets in versions of the job that are
    /// kept out for good now, or has other partitions.
    case supersedes
}

/// A checkpoint whose file is written on this machine.
public struct FinishedCheckpoint: Sendable {
    public enum Content: Sendable, Equatable {
        /// The whole state.
        case base
        /// What changed since the checkpoint of this epoch.
        case delta(after: Epoch)
        /// Nothing: the state is as the last checkpoint has it, and there is no file.
        case nothing
    }

    /// Why a checkpoint was made.
    public enum Reason: String, Sendable {
        case interval
        /// The worker stopped reading, and all was delivered that could be.
        case drain
        /// The first of a state that no checkpoint holds.
        case start
        /// The first of a state that was restored.
        case takeover
    }

    public let content: Content
    public let file: String
    public let facts: CheckpointFacts
    public let reason: Reason

    public init(content: Content, file: String, facts: CheckpointFacts, reason: Reason) {
        self.content = content
        self.file = file
        self.facts = facts
        self.reason = reason
    }
}

/// A checkpoint that is in the archive.
public struct PublishedCheckpoint: Sendable, Equatable {
    public let number: UInt64
    public let epoch: Epoch
    /// Of its last file, and of all files that it consists of.
    public let addedBytes: Int
    public let totalBytes: Int

    public init(number: UInt64, epoch: Epoch, addedBytes: Int, totalBytes: Int) {
        self.number = number
        self.epoch = epoch
        self.addedBytes = addedBytes
        self.totalBytes = totalBytes
    }
}
