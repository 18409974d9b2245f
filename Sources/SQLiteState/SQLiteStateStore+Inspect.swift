import CSQLite
import Engine

extension SQLiteStateStore {
    /// What `open` would find, without changing anything; nil where there is no state yet. Throws what `open` would.
    public func inspect(_ topology: Topology) throws -> RestoredState? {
        try exclusively {
            guard try integer("SELECT count(*) FROM sqlite_schema") > 0 else { return nil }
            let isNew = try prepareFile(job: topology.job)
            let opened = Opened(catalog: try StateCatalog(database), statements: try CommitStatements(database))
            var found: RestoredState?
            do {
                try database.transaction {
                    try upgradeFile()
                    try opened.catalog.declare(topology)
                    found = try restoredState(isNew: isNew, opened)
                    throw Undo()
                }
            } catch is Undo {
                // On purpose: the declarations must not stay.
            }
            return found
        }
    }

    private struct Undo: Error {}

    /// The version of the SQLite library that runs.
    public static var libraryVersion: String { String(cString: sqlite3_libversion()) }
}
