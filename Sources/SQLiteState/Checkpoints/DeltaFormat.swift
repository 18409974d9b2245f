/// A delta: a SQLite file with what changed in a state file between two epochs.
enum DeltaFormat {
    /// `PRAGMA application_id` of a delta: "TIDD".
    static let applicationID: Int64 = 0x5449_4444
    /// `PRAGMA user_version` of a delta.
    static let version: Int64 = 1

    static let segment = "CREATE TABLE segment (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    /// The state file's tables that a delta has whole, as they were at its end.
    static let wholeTables = ["meta", "partitions", "task", "state_table", "output_table", "message", "outbox", "lineage_end"]
    /// Those of which it has what was added or changed.
    static let growingTables = ["delta", "epoch_offsets", "batch"]
}
