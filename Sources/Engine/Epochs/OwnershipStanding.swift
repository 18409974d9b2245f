/// Whether batches may be delivered, by what the archive last said of whose the job is.
///
/// A synchronous state machine: the caller asks the archive every `interval` and says here what came of it.
package struct OwnershipStanding: Sendable {
    private let durability: Durability
    private var confirmed: Duration
    private var asked: Duration?
    private var failed: Duration?

    package static let interval = Duration.seconds(1)
    /// For how long an answer holds.
    package static let freshness = Duration.seconds(2)
    /// For how long a delivery under way goes on without one: well below what a sink's resolving waits before it counts.
    private static let longestUnheard = Duration.seconds(5)
    /// With local durability an archive that takes longer to answer counts as one that can't be asked.
    private static let patience = Duration.seconds(3)
    /// For how long it then counts as such.
    private static let failureHolds = Duration.seconds(5)

    /// The job was claimed just now, or could not be and need not be.
    package init(durability: Durability, now: Duration) {
        self.durability = durability
        confirmed = now
    }

    package mutating func asks(now: Duration) { asked = now }

    /// The job was still this worker's when that was asked: an answer may have been long on its way.
    package mutating func confirmed(now: Duration) {
        (confirmed, failed) = (asked ?? now, nil)
        asked = nil
    }

    /// The archive did not say.
    package mutating func failed(now: Duration) {
        failed = now
        asked = nil
    }

    /// True when a delivery under way must end: with shared durability whoever has the job by now may resolve the same batch,
    /// and what is sent after it has counted would be there twice.
    package func mustHold(now: Duration) -> Bool { durability == .shared && now - confirmed > OwnershipStanding.longestUnheard }

    /// True when a batch may be delivered, false when that has to be asked again soon.
    package func mayDeliver(now: Duration) -> Bool {
        if now - confirmed <= OwnershipStanding.freshness { return true }
        guard durability == .local else { return false }
        if let failed, now - failed <= OwnershipStanding.failureHolds { return true }
        return asked.map { now - $0 > OwnershipStanding.patience } ?? false
    }
}

/// When an epoch counts as durable, so that its rows may leave.
package enum Durability: String, Sendable, CaseIterable {
    /// When it is committed on this machine's disk. What was delivered after the last checkpoint is rolled back when the
    /// disk is lost. An archive that is down holds nothing up.
    case local
    /// When it is in the archive: nothing has ever to be rolled back. An archive that is down holds deliveries back.
    case shared
}
