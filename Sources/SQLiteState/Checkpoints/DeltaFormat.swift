/// A delta: a SQLite file with what changed in a state file between two epochs.
enum DeltaFormat {
    /// `PRAGMA application_id` of a delta: "TIDD".
    static let applicationID: Int64 = 0x5449_4444
    /// `PRAGMA user_version` of a delta.
    static let version: Int64 = 2
    /// The name by which the one connection knows a delta that is written or applied.
    static let schema = "changes"

    /// The formats of state files that checkpoints are restored of: there were none before the first of these.
    static let continued = 2...StateFormat.version

    /// The version of the deltas that continue a state file of this format.
    static func version(continuing stateFormat: Int64) -> Int64 { stateFormat < 3 ? 1 : version }

    /// The state file's tables that a delta has whole, as they were at its end.
    static let wholeTables = wholeTables(version: version)
    /// Those of which it has what was added or changed.
    static let growingTables = [DeltaLog.name, EpochOffsets.name, BatchLedger.name]

    static func wholeTables(version: Int64) -> [String] {
        [MetaTable.name, PartitionTable.name, TaskTable.name, StateTableRows.name, OutputTables.name]
            + (version < 2 ? [] : [OutputLayouts.name, MessageLayouts.name])
            + [MessageRows.name, OutboxRows.name, LineageEnds.name]
    }
}
