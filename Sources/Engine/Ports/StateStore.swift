/// Where a worker's state is durable.
///
/// An implementor guarantees: `commit` makes the whole cut durable or nothing of it, and what `open` and `restore`
/// give back is exactly the sum of the cuts whose `commit` returned (or, after a crash, possibly of one more).
/// One thread calls everything but the `ColdStateReader`'s methods.
package protocol StateStore: ColdStateReader, AnyObject {
    /// What the store holds, for this job's stages and tables. Throws when it belongs to another job, was written by a
    /// newer version, or is damaged.
    func open(_ topology: Topology) throws -> RestoredState
    /// Remembers for ever how many partitions a topic or stage has; durable when it returns.
    func register(partitions: [String: Int]) throws
    /// Feeds a task's state tables; `memoryBudget` bounds what is loaded of the rows that can be read later.
    func restore(_ task: any StreamTask, memoryBudget: Int) throws
    /// Makes a cut durable. Throws a `Failure` of kind `retry` when trying again may help, as when the disk is full.
    func commit(_ cut: EpochCut) throws
    /// Housekeeping between epochs: compacting deltas, bounding logs, dropping old ledgers. A step takes about `time`, or as long
    /// as reading one task's deltas of a table does, and who reads cold state waits for it.
    func maintain(for time: Duration) throws -> Housekeeping
}

/// How far a store's housekeeping is.
package struct Housekeeping: Sendable, Equatable {
    package enum Left: Sendable, Equatable {
        case nothing
        /// The next step may follow.
        case some
        /// Steps are to follow before the next epoch is committed.
        case tooMuch
    }

    /// The last epoch whose changes lie in the keyed rows, so that records changed no later may be evicted from memory.
    package let compactedThrough: Epoch
    package let left: Left

    package init(compactedThrough: Epoch, left: Left) {
        self.compactedThrough = compactedThrough
        self.left = left
    }
}

extension StateStore {
    /// A step without a limit of time.
    package func maintain() throws -> Housekeeping { try maintain(for: .seconds(3600)) }
}

/// A state store that can be copied while it is used: whole, or what changed since an earlier copy.
///
/// An implementor guarantees: a copy is the state as of one epoch, the last that was committed when its last step ended;
/// a step takes about as long as it is told, whatever the state's size. Called between commits, by the thread that commits.
package protocol CheckpointedStore: StateStore {
    /// A directory for the copies' files; what an earlier process left there is gone.
    var exportDirectory: String { get }
    /// What a checkpoint says of the state as it is now.
    func checkpointFacts() throws -> CheckpointFacts
    /// Begins a copy at `path`. False when the changes since that epoch are not kept: then it has to be a base.
    func beginCopy(_ content: FinishedCheckpoint.Content, at path: String) throws -> Bool
    /// Copies for about `time`; nil while there is more to copy.
    func stepCopy(for time: Duration) throws -> CheckpointFacts?
    /// From now on changes of epochs after this one are kept for a delta.
    func keepChanges(after epoch: Epoch?) throws
    /// True when the changes of all epochs after this one are kept, so that a delta can continue a checkpoint of it.
    func keepsChanges(after epoch: Epoch) throws -> Bool
    /// Notes durably that what was to be rolled back in the sink has been: once more to be looked for, or for good.
    func rollbackDone(isFinal: Bool) throws
    /// Notes durably that a checkpoint of the state as it superseded those of before is in the archive: it supersedes no more.
    func supersessionDone() throws
}
