/// What others have to say to the loop since it last heard of them.
public struct RunInbox {
    /// What groups of tasks handed in at the cut under way.
    public var reports: [TaskGroupReport] = []
    public var deliveries: [SinkBatchID] = []
    /// A group has as much of the epoch as it may have.
    public var isFull = false
    /// How many groups have read all their partitions to the end of a bounded run.
    public var groupsAtEnd = 0
    /// Somebody wants the run to drain.
    public var isDraining = false
    /// What ends the run at once.
    public var error: (any Error)?
    /// Why nothing more can be read of some partitions.
    public var readingError: (any Error)?
    /// What the archive answered to the claim.
    public var claim: Result<ArchiveStanding, any Error>?
    /// What became of the checkpoint that was to be published.
    public var checkpoint: Result<PublishedCheckpoint, any Error>?
    /// Whether the second rollback was made; nil while it is under way.
    public var secondRollback: Bool?

    public init() {}

    public var isEmpty: Bool {
        reports.isEmpty && deliveries.isEmpty && !isFull && groupsAtEnd == 0 && !isDraining && error == nil && readingError == nil
            && claim == nil
            && checkpoint == nil && secondRollback == nil
    }

    public mutating func take() -> RunInbox {
        defer { self = RunInbox() }
        return self
    }
}
