import CSQLite
import Engine

extension SQLiteStateStore {
    /// What `open` would find, without changing anything; nil where there is no state yet. Throws what `open` would.
    public func inspect(_ topology: Topology) throws -> RestoredState? {
        try exclusively {
            guard try integer("SELECT count(*) FROM sqlite_schema") > 0 else { return nil }
            let isNew = try prepareFile(job: topology.job)
            let opened = Opened(catalog: try StateCatalog(database), statements: try CommitStatements(database))
            return try database.undone {
                try upgradeFile()
                try opened.catalog.declare(topology)
                return try restoredState(isNew: isNew, opened)
            }
        }
    }

    /// The version of the SQLite library that runs.
    public static var libraryVersion: String { String(cString: sqlite3_libversion()) }
}
