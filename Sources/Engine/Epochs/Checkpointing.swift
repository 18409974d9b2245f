/// What a worker does about its checkpoints, and about what a restored state has to take back from the sink.
///
/// A synchronous state machine. The caller claims the job and builds one with the answer. Before anything is delivered it
/// publishes the `first` checkpoint, when there has to be one, and then rolls back what `dueRollback` names. Between epochs
/// it copies what `next` says; one checkpoint is under way at most.
package struct Checkpointing: Sendable {
    /// Why a worker must not begin while nobody can say whose the job is.
    package enum Refusal: Sendable, Equatable {
        /// With shared durability nothing could be delivered.
        case sharedDurability
        /// The state is new, and there may be one to restore.
        case mayHaveToRestore
        /// The state was restored, and the worker before may still be running.
        case takesOver
    }

    /// What has to be done once a checkpoint is published.
    package struct Published: Sendable, Equatable {
        /// Changes of later epochs are for the next delta.
        package let keepsChangesAfter: Epoch
        /// To be rolled back once more, unless that is under way already; nil when it need not be.
        package let rollsBackAgain: RollbackPlan?
        /// The second rollback is over: `rollbackDone(isFinal: true)`.
        package let endsRollback: Bool
        /// The state supersedes what was in the archive no more: `supersessionDone()`.
        package let endsSupersession: Bool
    }

    private var schedule: CheckpointSchedule
    private var reason = FinishedCheckpoint.Reason.interval
    /// False while the archive has never been asked.
    package private(set) var isClaimed: Bool
    /// What is being copied; nil between copies.
    package private(set) var copying: FinishedCheckpoint.Content?
    /// What is copied and on its way into the archive.
    package private(set) var publishing: FinishedCheckpoint.Content?
    /// What is to be rolled back; in stage `again` with each checkpoint until that was done, which the one after it ends.
    private var rollback: RollbackPlan?
    /// What was done to the state before the run.
    package let changeAtRest: ChangeAtRest
    /// True until the first checkpoint of a state that supersedes those of before.
    private var supersedes: Bool
    /// From which epoch on the store has to keep changes when the run begins.
    package let keepsChangesAfter: Epoch
    /// Why a base has to be published before anything leaves; nil when what the archive has of this lineage may be gone on
    /// from, or it can't be asked.
    package let first: FinishedCheckpoint.Reason?
    /// What leaves only once a checkpoint is in the archive.
    package let wait: CheckpointWait

    /// `standing`: what the archive answered to the claim; nil when it could not be asked and `refusal` allows that.
    /// `tables`: those that a restored state would have to roll back rows from.
    package init(
        interval: Duration, durability: Durability, restored: RestoredState, tables: [String], standing: ArchiveStanding?, now: Duration
    ) {
        changeAtRest = restored.changeAtRest
        supersedes = restored.changeAtRest == .supersedes
        // A delta has what epochs changed, and nothing that was done between them.
        let standing =
            restored.changeAtRest == .none
            ? standing
            : standing.map {
                ArchiveStanding(continues: nil, covered: $0.covered, tables: $0.tables)
            }
        schedule = CheckpointSchedule(interval: interval, standing: standing, now: now)
        isClaimed = standing != nil
        rollback = restored.rollback
        keepsChangesAfter = standing?.continues ?? restored.epoch
        first = standing.flatMap { $0.covered == nil ? (restored.rollback == nil ? .start : .takeover) : nil }
        let isPublishedFirst = first != nil
        let unknown = tables.filter { table in
            guard let standing else { return !restored.hasDelivered(to: table) }
            return !isPublishedFirst && !standing.tables.contains(table)
        }
        wait = durability == .shared ? .everything : unknown.isEmpty ? .nothing : .tables(Set(unknown))
    }

    /// Why a worker must not begin when the archive can't be asked; nil when it may go on without.
    /// `mayBeginUnasked`: somebody said that a new state may begin whatever the archive holds.
    package static func refusal(of restored: RestoredState, durability: Durability, mayBeginUnasked: Bool) -> Refusal? {
        if durability == .shared { return .sharedDurability }
        if restored.isNew && !mayBeginUnasked { return .mayHaveToRestore }
        return restored.rollback == nil ? nil : .takesOver
    }

    /// The epoch up to which everything is in the archive.
    package var covered: Epoch? { schedule.covered }

    // MARK: - Rollback

    /// What has to be rolled back before anything is delivered; nil when nothing has.
    package var dueRollback: RollbackPlan? { rollback?.stage == .due ? rollback : nil }

    /// What was due is rolled back: `rollbackDone(isFinal: false)` is durable.
    package mutating func rolledBack() {
        rollback = rollback.map { RollbackPlan(stage: .again, lineage: $0.lineage, tables: $0.tables) }
    }

    // MARK: - Checkpoints

    /// What to begin to copy now; nil when nothing is due. A job that is not claimed has to be claimed first.
    /// `isUrgent`: rows wait for a checkpoint.
    package mutating func next(now: Duration, epoch: Epoch, isUrgent: Bool) -> FinishedCheckpoint.Content? {
        guard copying == nil, publishing == nil, let content = schedule.next(now: now, epoch: epoch, isUrgent: isUrgent) else { return nil }
        copying = content
        return content
    }

    /// The last one, of a worker that drained: to be copied, or, when nothing changed, to be published as it is.
    /// Only while none is under way.
    package mutating func last(epoch: Epoch) -> FinishedCheckpoint.Content {
        reason = .drain
        let content = schedule.last(epoch: epoch)
        copying = content
        return content
    }

    /// The archive was asked after all.
    package mutating func claimed() { isClaimed = true }

    /// The store does not keep what a delta of the state as it was opened would need, as after a migration. The base is made at
    /// once, beside the work: left for the end of the run, it would have to be waited for.
    package mutating func beginsWithBase(now: Duration) { schedule.baseIsDue(now: now) }

    /// The store does not keep what a delta needs: the whole is to be copied.
    package mutating func changesAreGone() {
        schedule.changesAreGone()
        copying = .base
    }

    /// The copy is whole and goes to the archive; returns why it was made.
    package mutating func copied() -> FinishedCheckpoint.Reason {
        publishing = copying
        copying = nil
        return reason
    }

    /// A checkpoint is in the archive: the one that was copied, or the first, a base.
    /// `isRolledBackAgain`: the second rollback was made meanwhile.
    package mutating func published(_ checkpoint: PublishedCheckpoint, isRolledBackAgain: Bool = false, now: Duration) -> Published {
        schedule.published(checkpoint, publishing ?? .base, now: now)
        publishing = nil
        let endsRollback = isRolledBackAgain && rollback?.stage == .again
        if endsRollback { rollback = nil }
        let rollsBackAgain = rollback?.stage == .again ? rollback : nil
        let endsSupersession = supersedes
        supersedes = false
        return Published(
            keepsChangesAfter: checkpoint.epoch, rollsBackAgain: rollsBackAgain, endsRollback: endsRollback,
            endsSupersession: endsSupersession
        )
    }

    /// The checkpoint under way came to nothing. False when the worker must stop: the job is another's.
    package mutating func failed(_ kind: FailureKind, now: Duration) -> Bool {
        guard kind != .fenced, kind != .incompatible else { return false }
        // An answer that was lost may have been of a checkpoint that is there: a base continues whatever there is.
        if kind != .retry { schedule.changesAreGone() }
        (copying, publishing) = (nil, nil)
        schedule.failed(now: now)
        return true
    }
}

/// Which batches leave only once a checkpoint is in the archive.
package enum CheckpointWait: Sendable, Equatable {
    case nothing
    /// Every batch waits for one that covers the epoch in which it was frozen.
    case everything
    /// Those of these tables wait for the first one of this run: a checkpoint that doesn't know a table can't have its rows
    /// rolled back when it is restored by a version of the job that doesn't have the table.
    case tables(Set<String>)
}
