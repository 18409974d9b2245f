import CSQLite
import Engine
import Glibc

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
    /// The copy's file once more, to have it written out.
    private let descriptor: CInt
    private var writtenOut = 0

    init(of source: Database, at path: String) throws {
        self.path = path
        try Database.remove(path)
        copy = try Database(path: path, for: .export)
        guard let backup = sqlite3_backup_init(copy.handle, "main", source.handle, "main") else {
            try copy.check(sqlite3_errcode(copy.handle), while: "beginning the copy")
            throw StateError(.bug, "SQLite begins no copy of \(source.path) and doesn't say why")
        }
        self.backup = backup
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
    }

    deinit {
        sqlite3_backup_finish(backup)
        close(descriptor)
    }

    /// Pages still to copy, of how many.
    var progress: (remaining: Int, of: Int) { (Int(sqlite3_backup_remaining(backup)), Int(sqlite3_backup_pagecount(backup))) }

    /// Copies pages for about as long as it may; true when the copy is whole.
    func step(for time: Duration, pages: Int32) throws -> Bool {
        let start = ContinuousClock.now
        defer { beginWritingOut() }
        repeat {
            switch sqlite3_backup_step(backup, pages) {
            case SQLITE_OK: continue
            case SQLITE_DONE: return true
            case let code: try copy.check(code, while: "copying the state file")
            }
        } while ContinuousClock.now - start < time
        return false
    }

    /// Lets the system begin to write what was copied: if it began only after a gigabyte, commits would wait for all of it.
    private func beginWritingOut() {
        let copied = (progress.of - progress.remaining) * Int(Database.pageSize)
        guard copied > writtenOut else { return }
        // Advice: where it is not heeded, nothing is lost but smoothness.
        _ = posix_fadvise(descriptor, writtenOut, copied - writtenOut, POSIX_FADV_DONTNEED)
        writtenOut = copied
    }

    /// Makes the whole copy a file that opens anywhere, read-only too: without a write-ahead log.
    func finish() throws {
        try copy.leaveLog()
    }
}
