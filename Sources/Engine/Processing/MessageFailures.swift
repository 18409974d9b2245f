/// A message that its receiver rejected or was too late for, in a stage that says nowhere where such go: what one task
/// made for another must not get lost.
struct UnusableMessage: Failure {
    let kind = FailureKind.bug
    let message: String
    let cause: (any Error)? = nil

    init(batch: MessageBatchID) {
        message =
            "task \(batch.to) can't use a message of task \(batch.from) (epoch \(batch.epoch)): it does not decode, or came after its window was closed. Nothing of it was stored; report this with the state directory"
    }
}

/// A batch between tasks that does not decode.
struct MessageDamage: Failure {
    let kind = FailureKind.corrupt
    let message: String
    let cause: (any Error)? = nil

    init(batch: MessageBatchID) {
        message =
            "the batch from task \(batch.from) to \(batch.to) of epoch \(batch.epoch) is damaged; keep the state directory for examination, and go on from a copy of it made before the damage, or start with an empty one and new tables"
    }
}
