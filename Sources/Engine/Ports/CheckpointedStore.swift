/// A state store that can be copied while it is used: whole, or what changed since an earlier copy.
///
/// An implementor guarantees: a copy is the state as of one epoch, the last that was committed when its last step ended;
/// a step takes about as long as it is told, whatever the state's size. Called between commits, by the thread that commits.
public protocol CheckpointedStore: StateStore {
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
