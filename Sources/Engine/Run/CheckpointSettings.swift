/// Where a worker's checkpoints go, and how often.
public struct CheckpointSettings: Sendable {
    public let archive: any CheckpointArchive
    public var interval = Duration.seconds(30)
    public var durability = Durability.local
    /// True when a new state may begin although nobody can say whether there are checkpoints to restore.
    public var mayBeginUnasked = false

    public init(archive: any CheckpointArchive) { self.archive = archive }
}
