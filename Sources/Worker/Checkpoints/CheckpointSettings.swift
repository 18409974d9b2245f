import Engine

/// Where a worker's checkpoints go, and how often.
public struct CheckpointSettings: Sendable {
    /// When an epoch counts as durable, so that its rows may leave.
    public enum Durability: String, Sendable, CaseIterable {
        /// When it is committed on this machine's disk. What was delivered after the last checkpoint is withdrawn when the
        /// disk is lost. An archive that is down holds nothing up.
        case local
        /// When it is in the archive: nothing has ever to be withdrawn. An archive that is down holds deliveries back.
        case shared
    }

    public let archive: any CheckpointArchive
    public var interval = Duration.seconds(30)
    public var durability = Durability.local
    /// True when a new state may begin although nobody can say whether there are checkpoints to restore.
    public var mayBeginUnasked = false

    public init(archive: any CheckpointArchive) { self.archive = archive }
}
