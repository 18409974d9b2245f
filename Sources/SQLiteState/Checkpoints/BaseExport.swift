import CSQLite
import Engine

/// A whole copy of the state file in the making, by SQLite's backup API on the one connection.
///
/// What is committed to the state file between two steps SQLite writes to the copy as well, as far as it has copied those
/// pages; so the copy is the state file as it is when the last step ends.
final class BaseExport {
    /// Pages copied between two looks at the clock: about a millisecond's worth.
    static let pagesAtOnce: Int32 = 128

    let path: String
    private let copy: Database
    private let backup: OpaquePointer

    init(of source: Database, at path: String) throws {
        self.path = path
        try Database.remove(path)
        copy = try Database(path: path, for: .export)
        guard let backup = sqlite3_backup_init(copy.handle, "main", source.handle, "main") else {
            try copy.check(sqlite3_errcode(copy.handle), while: "beginning the copy")
            throw StateError(.bug, "SQLite begins no copy of \(source.path) and doesn't say why")
        }
        self.backup = backup
    }

    deinit { sqlite3_backup_finish(backup) }

    /// Pages still to copy, of how many.
    var progress: (remaining: Int, of: Int) { (Int(sqlite3_backup_remaining(backup)), Int(sqlite3_backup_pagecount(backup))) }

    /// Copies pages for about as long as it may; true when the copy is whole.
    func step(for time: Duration, pages: Int32) throws -> Bool {
        let start = ContinuousClock.now
        repeat {
            switch sqlite3_backup_step(backup, pages) {
            case SQLITE_OK: continue
            case SQLITE_DONE: return true
            case let code: try copy.check(code, while: "copying the state file")
            }
        } while ContinuousClock.now - start < time
        return false
    }

    /// Makes the whole copy a file that opens anywhere, read-only too: without a write-ahead log.
    func finish() throws {
        try copy.leaveLog()
    }
}
