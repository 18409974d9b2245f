/// How a run ended.
public enum RunOutcome: Sendable, Equatable {
    /// Everything read is durable and delivered.
    case complete
    /// Everything read is durable; some rows or messages between stages still wait in the state, for the next start.
    case undelivered(bytes: Int)
}
