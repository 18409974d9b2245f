/// What a source's partition holds, as tools ask for it that read no records.
public enum LogBounds: Hashable, Sendable {
    /// The offset of its first record, and the one after its last; the same where it holds none.
    case known(start: Int64, end: Int64)
    /// Nobody could say in time.
    case unanswered
}
