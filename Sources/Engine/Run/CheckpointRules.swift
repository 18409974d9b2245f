/// How a worker with a checkpoint store decides about it.
package struct CheckpointRules: Sendable {
    package var interval = Duration.seconds(30)
    package var durability = Durability.local
    /// True when a new state may begin although nobody can say whether there are checkpoints to restore.
    package var mayBeginUnasked = false

    package init() {}
}
