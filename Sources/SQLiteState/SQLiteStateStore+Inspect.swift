import CSQLite
import Engine

extension SQLiteStateStore {
    /// What `open` would find, without changing anything; nil where there is no state yet. Throws what `open` would, but
    /// what it would refuse for the state tables' sake. `asDrained`: what the state would be if nothing waited in it.
    package func inspect(_ topology: Topology, asDrained: Bool = false) throws -> InspectedState? {
        try exclusively {
            guard try integer("SELECT count(*) FROM sqlite_schema") > 0 else { return nil }
            return try database.undone {
                let inputLookedAtBy = try versionOfInputLook()
                let isNew = try prepareFile(job: topology.job)
                if asDrained {
                    try MessageRows(database).removeAll()
                    try OutboxRows(database).removeAll()
                    try BatchLedger(database).removeUndelivered()
                }
                try keepSettings(of: topology)
                let opened = try Opened(database, StateCatalog(database), settings)
                let compatibility = try compatibility(of: topology, opened.catalog, dropping: settings.droppedTables)
                try opened.catalog.declareOutputs(of: topology)
                let migration = compatibility.refusals.isEmpty ? try MigrationEstimate(database, compatibility) : nil
                var restored = try restoredState(isNew: isNew, opened)
                restored.inputLookedAtBy = inputLookedAtBy
                return InspectedState(restored: restored, compatibility: compatibility, migration: migration)
            }
        }
    }

    /// What a start would find, and do with the state tables.
    package struct InspectedState: Sendable {
        package let restored: RestoredState
        package let compatibility: StateCompatibility
        /// nil when nothing would be migrated, or the start refused.
        package let migration: MigrationEstimate?
    }

    /// The version of the SQLite library that runs.
    package static var libraryVersion: String { String(cString: sqlite3_libversion()) }
}
