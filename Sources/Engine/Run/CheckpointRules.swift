/// How a worker with a checkpoint store decides about it.
public struct CheckpointRules: Sendable {
    public var interval = Duration.seconds(30)
    public var durability = Durability.local
    /// True when a new state may begin although nobody can say whether there are checkpoints to restore.
    public var mayBeginUnasked = false

    public init() {}
}
