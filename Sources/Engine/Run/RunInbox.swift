/// What others have to say to the loop since it last heard of them.
package struct RunInbox {
    /// What groups of tasks handed in at the cut under way.
    package var reports: [TaskGroupReport] = []
    package var deliveries: [SinkBatchID] = []
    /// A group has as much of the epoch as it may have.
    package var isFull = false
    /// How many groups have read all their partitions to the end of a bounded run.
    package var groupsAtEnd = 0
    /// Somebody wants the run to drain.
    package var isDraining = false
    /// What ends the run at once.
    package var error: (any Error)?
    /// Why nothing more can be read of some partitions.
    package var readingError: (any Error)?
    /// What the archive answered to the claim.
    package var claim: Result<ArchiveStanding, any Error>?
    /// What became of the checkpoint that was to be published.
    package var checkpoint: Result<PublishedCheckpoint, any Error>?
    /// Whether the second rollback was made; nil while it is under way.
    package var secondRollback: Bool?

    package init() {}

    package var isEmpty: Bool {
        reports.isEmpty && deliveries.isEmpty && !isFull && groupsAtEnd == 0 && !isDraining && error == nil && readingError == nil
            && claim == nil
            && checkpoint == nil && secondRollback == nil
    }

    package mutating func take() -> RunInbox {
        defer { self = RunInbox() }
        return self
    }
}
