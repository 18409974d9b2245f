import CSQLite
import Engine

/// A delta in the making: the bulk of it, rows of `delta` that never change, in steps; the rest, which must all be of one
/// epoch, with the last of them.
///
/// The file is attached to the one connection for the time of a step only, so that no commit has to do with it.
final class DeltaExport {
    /// Rows of `delta` copied between two looks at the clock.
    private static let rowsAtOnce: Int64 = 8
    private static let schema = DeltaFormat.schema

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
        copied = try DeltaLog(database).lastNumber(through: from)
        try Database.remove(path)
        try PrivateFiles.makeFile(path)
        try attached {
            try database.execute("PRAGMA \(DeltaExport.schema).application_id = \(DeltaFormat.applicationID)")
            try database.execute("PRAGMA \(DeltaExport.schema).user_version = \(DeltaFormat.version)")
            try database.execute(DeltaExport.inChanges(SegmentTable.create))
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

    private static func inChanges(_ create: String) -> String { "CREATE TABLE \(schema)." + create.dropFirst("CREATE TABLE ".count) }

    private func attached<Result>(_ body: () throws -> Result) throws -> Result {
        try database.run("ATTACH DATABASE ? AS \(DeltaExport.schema)", .text(path))
        let result: Result
        do {
            for setting in ["journal_mode = memory", "synchronous = off"] {
                try database.execute("PRAGMA \(DeltaExport.schema).\(setting)")
            }
            result = try database.transaction(body)
        } catch {
            // What is in the file no longer matters; the connection must be as it was.
            try database.execute("DETACH DATABASE \(DeltaExport.schema)")
            throw error
        }
        try database.execute("DETACH DATABASE \(DeltaExport.schema)")
        return result
    }

    /// Copies for about `time`; true when the delta is whole and its end is the state file's last epoch.
    func step(for time: Duration) throws -> Bool {
        let start = ContinuousClock.now
        return try attached {
            let (log, delta) = (DeltaLog(database), DeltaLog(database, schema: DeltaExport.schema))
            let last = try log.lastNumber()
            while copied < last {
                guard ContinuousClock.now - start < time else { return false }
                try log.copy(to: DeltaExport.schema, after: copied, limit: DeltaExport.rowsAtOnce)
                copied = try delta.lastNumber()
            }
            try copyTheRest()
            return true
        }
    }

    private func copyTheRest() throws {
        for table in DeltaFormat.wholeTables {
            try database.execute("INSERT INTO \(DeltaExport.schema).\(table) SELECT * FROM main.\(table)")
        }
        try EpochOffsets(database).copy(to: DeltaExport.schema, after: from)
        let facts = try CheckpointFacts(of: database)
        for (table, _) in try OutputTables(database: database).inOrder() {
            try BatchLedger(database).copy(to: DeltaExport.schema, facts.lineage, ofTable: table, after: from)
        }
        try SegmentTable(database: database).write(facts, after: from)
    }
}
