import CSQLite
import Engine

/// A delta in the making: the bulk of it, rows of `delta` that never change, in steps; the rest, which must all be of one
/// epoch, with the last of them.
///
/// The file is attached to the one connection for the time of a step only, so that no commit has to do with it.
final class DeltaExport {
    /// Rows of `delta` copied between two looks at the clock.
    private static let rowsAtOnce: Int64 = 8

    let path: String
    /// The last epoch that is not in the delta.
    let from: Epoch
    /// Set when what it is to copy is not kept any longer.
    var isOutgrown = false
    private let database: Database
    /// Every row up to this number that belongs into the delta is in it.
    private var copied: Int64

    /// Makes an empty delta at `path`.
    init(of database: Database, after from: Epoch, at path: String) throws {
        self.database = database
        self.path = path
        self.from = from
        let older = try Statement(database, "SELECT coalesce(max(sequence), 0) FROM delta WHERE epoch <= ?")
        try older.bind(.integer(Int64(from.number)))
        _ = try older.step()
        copied = older.integer(0)
        older.reset()
        try Database.remove(path)
        try PrivateFiles.makeFile(path)
        try attached {
            try database.execute("PRAGMA changes.application_id = \(DeltaFormat.applicationID)")
            try database.execute("PRAGMA changes.user_version = \(DeltaFormat.version)")
            try database.execute(DeltaExport.inChanges(DeltaFormat.segment))
            for table in DeltaFormat.wholeTables + DeltaFormat.growingTables { try database.execute(try createStatement(of: table)) }
        }
    }

    private func createStatement(of table: String) throws -> String {
        let schema = try Statement(database, "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?")
        try schema.bind(.text(table))
        guard try schema.step() else {
            throw StateError(.corrupt, "the state file \(database.path) has no table \(table); \(StateError.wayOut)")
        }
        return DeltaExport.inChanges(schema.text(0))
    }

    private static func inChanges(_ create: String) -> String { "CREATE TABLE changes." + create.dropFirst("CREATE TABLE ".count) }

    private func attached<Result>(_ body: () throws -> Result) throws -> Result {
        try Statement(database, "ATTACH DATABASE ? AS changes").run(.text(path))
        let result: Result
        do {
            for setting in ["journal_mode = memory", "synchronous = off"] { try database.execute("PRAGMA changes.\(setting)") }
            result = try database.transaction(body)
        } catch {
            // What is in the file no longer matters; the connection must be as it was.
            try database.execute("DETACH DATABASE changes")
            throw error
        }
        try database.execute("DETACH DATABASE changes")
        return result
    }

    /// Copies for about `time`; true when the delta is whole and its end is the state file's last epoch.
    func step(for time: Duration) throws -> Bool {
        let start = ContinuousClock.now
        return try attached {
            let last = try database.integer("SELECT coalesce(max(sequence), 0) FROM main.delta")
            let copy = try Statement(
                database,
                "INSERT INTO changes.delta SELECT * FROM main.delta WHERE sequence > ? ORDER BY sequence LIMIT \(DeltaExport.rowsAtOnce)")
            let reached = try Statement(database, "SELECT coalesce(max(sequence), 0) FROM changes.delta")
            while copied < last {
                guard ContinuousClock.now - start < time else { return false }
                try copy.run(.integer(copied))
                _ = try reached.step()
                copied = reached.integer(0)
                reached.reset()
            }
            try copyTheRest()
            return true
        }
    }

    private func copyTheRest() throws {
        let epoch = Statement.Value.integer(Int64(from.number))
        for table in DeltaFormat.wholeTables { try database.execute("INSERT INTO changes.\(table) SELECT * FROM main.\(table)") }
        try Statement(database, "INSERT INTO changes.epoch_offsets SELECT * FROM main.epoch_offsets WHERE epoch > ?").run(epoch)
        let facts = try CheckpointFacts(of: database)
        for table in facts.tables { try copyBatches(of: table.name, facts.lineage) }
        for (name, value) in [
            ("from_epoch", String(from.number)), ("to_epoch", String(facts.epoch.number)), ("job", facts.job), ("identity", facts.identity),
            ("lineage", String(facts.lineage.number)), ("format", String(facts.stateFormat)),
        ] {
            try Statement(database, "INSERT INTO changes.segment (name, value) VALUES (?, ?)").run(.text(name), .text(value))
        }
    }

    /// Copies the batches that were frozen or delivered since. Batches of a table are delivered in order of their numbers,
    /// so these are the last ones.
    private func copyBatches(of table: String, _ lineage: Lineage) throws {
        let backwards = try Statement(
            database,
            """
            SELECT output_table, number, delivered_epoch FROM main.batch
            WHERE output_table = (SELECT id FROM main.output_table WHERE name = ?) AND lineage = ? ORDER BY number DESC
            """)
        try backwards.bind(.text(table), .integer(Int64(lineage.number)))
        var first: (table: Int64, number: Int64)?
        while try backwards.step(), backwards.isNull(2) || backwards.integer(2) > Int64(from.number) {
            first = (backwards.integer(0), backwards.integer(1))
        }
        backwards.reset()
        guard let first else { return }
        try Statement(database, "INSERT INTO changes.batch SELECT * FROM main.batch WHERE output_table = ? AND lineage = ? AND number >= ?")
            .run(
                .integer(first.table), .integer(Int64(lineage.number)), .integer(first.number)
            )
    }
}
