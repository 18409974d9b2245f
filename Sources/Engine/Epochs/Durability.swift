/// When an epoch counts as durable, so that its rows may leave.
public enum Durability: String, Sendable, CaseIterable {
    /// When it is committed on this machine's disk. What was delivered after the last checkpoint is rolled back when the
    /// disk is lost. An archive that is down holds nothing up.
    case local
    /// When it is in the archive: nothing has ever to be rolled back. An archive that is down holds deliveries back.
    case shared
}
