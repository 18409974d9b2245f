/// A delta: a SQLite file with what changed in a state file between two epochs.
enum DeltaFormat {
    /// `PRAGMA application_id` of a delta: "TIDD".
    static let applicationID: Int64 = 0x5449_4444
    /// `PRAGMA user_version` of a delta.
    static let version: Int64 = 2

    /// The formats of state files that checkpoints are restored of: there were none before the first of these.
    static let continued = 2...StateFormat.version

    /// The version of the deltas that continue a state file of this format.
    static func version(continuing stateFormat: Int64) -> Int64 { stateFormat < 3 ? 1 : version }

    static let segment = "CREATE TABLE segment (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    /// The state file's tables that a delta has whole, as they were at its end.
    static let wholeTables = wholeTables(version: version)
    /// Those of which it has what was added or changed.
    static let growingTables = ["delta", "epoch_offsets", "batch"]

    static func wholeTables(version: Int64) -> [String] {
        ["meta", "partitions", "task", "state_table", "output_table"] + (version < 2 ? [] : ["output_layout", "message_layout"])
            + ["message", "outbox", "lineage_end"]
    }
}
