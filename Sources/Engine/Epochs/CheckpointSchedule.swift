/// When a worker makes its checkpoints, and of which kind.
///
/// A synchronous state machine: one checkpoint is under way at most.
package struct CheckpointSchedule: Sendable {
    /// What lets a delta be the next checkpoint: bounds on what a restore has to fetch. The deltas together have to be less
    /// than the base as well.
    package static let longestChain = 256
    /// Deltas may take so much however small the base is.
    package static let leastDeltaBytes = 16 << 20
    /// A worker that drains has somebody waiting for it, and a delta takes less time than a base: its last checkpoint may be
    /// one up to so many times those bounds. The next worker makes a base then, beside its work.
    package static let drainAllowance = 2
    /// After a failure the next try comes after this, twice it, and so on, up to the interval or a minute.
    private static let firstRetry = Duration.seconds(1)
    private static let longestRetry = Duration.seconds(60)

    private let interval: Duration
    private var due: Duration
    private var failures = 0
    private var chain: CheckpointChain
    /// The epoch that a delta may continue.
    package private(set) var continues: Epoch?
    /// The epoch up to which everything is in the archive.
    package private(set) var covered: Epoch?
    package private(set) var isUnderWay = false

    /// `standing`: what the archive holds; nil when it could not be asked.
    package init(interval: Duration, standing: ArchiveStanding?, now: Duration) {
        self.interval = interval
        continues = standing?.continues
        covered = standing?.covered
        chain = standing?.chain ?? CheckpointChain()
        due = standing?.covered == nil ? now : now + interval
    }

    /// What to copy now; nil when nothing is due. `isUrgent`: something waits for it.
    package mutating func next(now: Duration, epoch: Epoch, isUrgent: Bool) -> FinishedCheckpoint.Content? {
        guard !isUnderWay, now >= due || (isUrgent && failures == 0) else { return nil }
        guard continues == nil || covered.map({ epoch > $0 }) ?? true else {
            due = now + interval
            return nil
        }
        isUnderWay = true
        return content()
    }

    /// The last one of a worker that drains: always one, as it says that the worker let go. Not while one is under way.
    package mutating func last(epoch: Epoch) -> FinishedCheckpoint.Content {
        precondition(!isUnderWay, "a checkpoint is under way")
        isUnderWay = true
        return covered == epoch && continues == epoch ? .nothing : content(allowance: CheckpointSchedule.drainAllowance)
    }

    /// What the next checkpoint is to be.
    private func content(allowance: Int = 1) -> FinishedCheckpoint.Content {
        guard let continues, chain.deltas < CheckpointSchedule.longestChain * allowance,
            chain.deltaBytes < max(chain.baseBytes, CheckpointSchedule.leastDeltaBytes) * allowance
        else { return .base }
        return .delta(after: continues)
    }

    /// The changes that a delta needs are not there any more: copy the whole instead.
    package mutating func changesAreGone() { continues = nil }

    /// The same, and now.
    package mutating func baseIsDue(now: Duration) {
        changesAreGone()
        due = now
    }

    package mutating func published(_ checkpoint: PublishedCheckpoint, _ content: FinishedCheckpoint.Content, now: Duration) {
        isUnderWay = false
        failures = 0
        due = now + interval
        continues = checkpoint.epoch
        covered = checkpoint.epoch
        switch content {
        case .base: chain = CheckpointChain(baseBytes: checkpoint.totalBytes)
        case .delta:
            chain.deltaBytes += checkpoint.addedBytes
            chain.deltas += 1
            chain.baseBytes = checkpoint.totalBytes - chain.deltaBytes
        case .nothing: break
        }
    }

    /// The checkpoint failed in a way that may pass.
    package mutating func failed(now: Duration) {
        isUnderWay = false
        failures += 1
        let pause = CheckpointSchedule.firstRetry * (1 << min(failures - 1, 6))
        due = now + min(pause, max(interval, CheckpointSchedule.firstRetry), CheckpointSchedule.longestRetry)
    }
}
