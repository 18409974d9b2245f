/// The state file's format: its tables, each of which is made by its type in `Tables`, and how a file of an earlier one becomes one of this.
/// Every stored row leads with its task, so that a task can move.
enum StateFormat {
    /// The format's version, in `PRAGMA user_version`.
    static let version: Int64 = 3

    /// The formats that are brought to this version when they are opened.
    static let upgradable: ClosedRange<Int64> = 1...2

    static func version(of database: Database) throws -> Int64 { try database.integer("PRAGMA user_version") }

    /// Whether a file says how what waits in it is laid out.
    static func hasLayouts(_ database: Database) throws -> Bool { try version(of: database) >= 3 }

    /// Throws kind `corrupt` unless a state file's schema is that of the format that it says.
    static func requireShape(of database: Database, file: String? = nil) throws {
        try FileShape.state(format: version(of: database))?.require(of: database, file: file ?? "the state file \(database.path)")
    }

    static let create = script(
        firstTables(TaskTable.create) + [
            OutputLayouts.create, MessageLayouts.create, MessageRows.create, OutboxRows.create, StateTableRows.create,
        ] + addedByFormat2)

    /// The tables of a file of an earlier format that checkpoints may still be of; nil of another one.
    static func create(format: Int64) -> String? {
        switch format {
        case version: create
        case 2:
            script(
                firstTables(TaskTable.create) + [MessageRows.createFormat2, OutboxRows.createFormat2, StateTableRows.create]
                    + addedByFormat2)
        default: nil
        }
    }

    /// A file of format 1, as its first versions made it.
    static let createFormat1 = script(
        firstTables(TaskTable.createFormat1) + [MessageRows.createFormat2, OutboxRows.createFormat2, StateTableRows.createFormat1])

    /// Makes a file of format 1 one of format 2.
    static let upgradeOfFormat1 = script(
        [StateTableRows.upgradeOfFormat1, MetaTable.upgradeOfFormat1, TaskTable.upgradeOfFormat1] + addedByFormat2)

    /// Makes a file of format 2 one of format 3. What waits has no layout then: whoever opens the file finds out which it is, in the same
    /// transaction.
    static let upgradeOfFormat2 = script([
        OutputLayouts.create, MessageLayouts.create, MessageRows.upgradeOfFormat2, OutboxRows.upgradeOfFormat2,
    ])

    private static func firstTables(_ task: String) -> [String] {
        [
            MetaTable.create, PartitionTable.create, task, KeyedRows.create, DeltaLog.create, OutputTables.create, BatchLedger.create,
            EpochOffsets.create,
        ]
    }

    /// What compaction has reached, for a file whose rows of `delta` are kept after that, and what counts of the lineages before the
    /// present one.
    private static let addedByFormat2 = [CompactionMarks.create, LineageEnds.create]

    private static func script(_ statements: [String]) -> String { statements.joined(separator: "\n") }
}
