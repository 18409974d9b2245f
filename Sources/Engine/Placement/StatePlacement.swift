/// What becomes of a state table's records when the topic that its stage reads gets more partitions. The raw values are
/// stored.
public enum StatePlacement: String, Sendable {
    /// The table's keys are those by which producers choose a record's partition: each goes where its key goes.
    case moves
    /// Each stays where it is: what the tasks know of a key are parts that are put together later, wherever they lie.
    case stays
    /// Each is copied to every partition that may get what it is about: all that matters is whether it is there.
    case copied
    /// As `copied`; what follows the window in its key is but a number of four bytes, big-endian, counted from 0 within the
    /// window and partition, so that what comes from several partitions is numbered anew.
    case copiedByNumber

    /// Records of one table with `copiedByNumber` that a task can hold.
    package static let numberedRecords = DeduplicationIDs.limit / DeduplicationIDs.idsInRecord
}
