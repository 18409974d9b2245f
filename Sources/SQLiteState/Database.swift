import CSQLite
import Engine
import Glibc

/// The one connection to a file: opened once, exclusively, with settings that are read back and asserted.
///
/// One connection per file, for ever: SQLite 3.40 can corrupt a WAL database that two connections use.
/// It is not thread-safe by itself; `SQLiteStateStore` and `ReferenceFile` serialize their callers.
final class Database {
    /// Marks the file as Tidemark's (`PRAGMA application_id`): "TIDE".
    static let applicationID: Int64 = 0x5449_4445
    static let pageSize: Int64 = 4096
    /// How long another process's lock is waited for.
    private static let handoverMilliseconds: Int32 = 2000

    /// What a file is for.
    enum Use {
        /// Its commits are durable: a write-ahead log, synced.
        case state
        /// A checkpoint's file while it is written: nothing in it is durable, and after an error it is worthless. It has no
        /// log, so that it opens anywhere.
        case export
    }

    let handle: OpaquePointer
    let path: String
    /// What the file's content may make SQLite do; nil for one that this process has made or looked through.
    var bounds: ContentBounds?
    /// The instructions that the running statement has run so far.
    var instructions = 0
    /// Pages in the write-ahead log after the last commit.
    fileprivate(set) var logPages = 0

    init(path: String, for use: Use = .state) throws {
        // SQLite gives a log or journal the mode that its file has.
        try PrivateFiles.makeFile(path)
        // Deltas are attached to a file that is assembled by address, to be read only.
        let addresses = use == .export ? SQLITE_OPEN_URI : 0
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX | addresses
        handle = try Database.open(path, flags, orElse: "check that the directory exists and may be written")
        self.path = path
        try Database.restrict(handle)
        try assertSettings(use)
        // Not before the settings of an export, which has no journal.
        try Database.beDefensive(handle)
        guard use == .state else { return }
        boundContent()
        let context = Unmanaged.passUnretained(self).toOpaque()
        // Of this file alone: a checkpoint's file that is attached has no log to look after.
        sqlite3_wal_hook(
            handle,
            { context, _, schema, pages in
                guard let schema, strcmp(schema, "main") == 0 else { return SQLITE_OK }
                Unmanaged<Database>.fromOpaque(context!).takeUnretainedValue().logPages = Int(pages)
                return SQLITE_OK
            }, context)
    }

    /// Opens a file that nobody writes, for reading alone: without locks, and without a log or index beside it.
    init(unchanging path: String) throws {
        guard access(path, F_OK) == 0 else { throw StateError(.missing, "there is no state file \(path)") }
        guard access(path, R_OK) == 0 else { throw StateError(.denied, "the state file \(path) can't be read by this user") }
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_URI
        handle = try Database.open(
            "file:\(path.percentEncoded(keeping: "/"))?immutable=1", flags, orElse: "check that it is a file of Tidemark's")
        self.path = path
        try Database.restrict(handle)
        try Database.beDefensive(handle)
        boundContent()
        try set("cell_size_check", to: .integer(1))
        try set("temp_store", to: .integer(2))
    }

    /// An empty database that is nowhere else.
    static func inMemory() throws -> Database { try Database(inMemory: ()) }

    private init(inMemory: Void) throws {
        path = ":memory:"
        handle = try Database.open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, orElse: "free some memory")
    }

    deinit { sqlite3_close_v2(handle) }

    private static func open(_ name: String, _ flags: Int32, orElse advice: String) throws -> OpaquePointer {
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(name, &opened, flags, nil)
        guard result == SQLITE_OK, let opened else {
            let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw StateError(.invalid, "can't open the state file \(name): \(reason); \(advice)")
        }
        sqlite3_extended_result_codes(opened, 1)
        // A process that ends lets go of its locks one after the other, this file's not first.
        sqlite3_busy_timeout(opened, Database.handoverMilliseconds)
        return opened
    }

    private func assertSettings(_ use: Use) throws {
        try set("page_size", to: .integer(Database.pageSize))
        try set("locking_mode", to: .text("exclusive"))
        switch use {
        case .state:
            try set("journal_mode", to: .text("wal"))
            try set("synchronous", to: .integer(2))
            try set("wal_autocheckpoint", to: .integer(0))
        case .export:
            try set("journal_mode", to: .text("off"))
            try set("synchronous", to: .integer(0))
        }
        try set("temp_store", to: .integer(2))
        try set("cell_size_check", to: .integer(1))
    }

    private enum Setting: Equatable {
        case integer(Int64)
        case text(String)
    }

    private func set(_ pragma: String, to wanted: Setting) throws {
        let value =
            switch wanted {
            case .integer(let number): String(number)
            case .text(let text): text
            }
        try execute("PRAGMA \(pragma) = \(value)")
        let query = try Statement(self, "PRAGMA \(pragma)")
        guard try query.step() else { throw StateError(.bug, "SQLite does not know PRAGMA \(pragma)") }
        let found: Setting =
            switch wanted {
            case .integer: .integer(query.integer(0))
            case .text: .text(query.text(0))
            }
        guard found == wanted else {
            throw StateError(
                .invalid,
                "state file \(path): PRAGMA \(pragma) is \(found), it must be \(value); the file was made by another program or lies on a file system without shared locks"
            )
        }
    }

    /// Takes the mark of a write-ahead log off a file, which a copy has from what it is a copy of.
    func leaveLog() throws { try set("journal_mode", to: .text("delete")) }

    func execute(_ sql: String) throws {
        instructions = 0
        try check(sqlite3_exec(handle, sql, nil, nil, nil), while: sql)
    }

    /// How many rows the last statement changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    /// Runs `body` in one transaction; whatever it throws, nothing of it stays.
    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // Some errors (a full disk, for one) have rolled back already.
            if sqlite3_get_autocommit(handle) == 0 { try execute("ROLLBACK") }
            throw error
        }
    }

    /// Runs `body` and undoes what it did.
    func undone<Result>(_ body: () throws -> Result) throws -> Result {
        try execute("BEGIN IMMEDIATE")
        let result = Swift.Result { try body() }
        if sqlite3_get_autocommit(handle) == 0 { try execute("ROLLBACK") }
        return try result.get()
    }

    /// Moves the write-ahead log into the file and empties it.
    func checkpointLog() throws {
        try check(sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_TRUNCATE, nil, nil), while: "checkpointing the log")
        logPages = 0
    }

    /// Turns a result code into an error that says what to do.
    func check(_ code: Int32, while action: @autoclosure () -> String) throws {
        guard code != SQLITE_OK else { return }
        let reason = String(cString: sqlite3_errmsg(handle))
        let systemError = sqlite3_system_errno(handle)
        let cause = SQLiteFailure(code: code, systemError: systemError, reason: reason, action: action())
        switch code & 0xFF {
        case SQLITE_FULL:
            throw StateError(
                .retry, "no space left for the state file \(path); free some, the job goes on by itself",
                cause: FullDisk(path: path, reason: "\(cause)"))
        case SQLITE_CANTOPEN where [ENOSPC, EDQUOT].contains(systemError):
            throw StateError(
                .retry, "no space left to make the state file \(path) or its log; free some, the job goes on by itself",
                cause: FullDisk(path: path, reason: "\(cause)"))
        case SQLITE_IOERR where code == ioErrorWrite:
            // A quota or a limit on the size of files ends here, without the system's own error. The transaction is
            // undone, so writing it again is safe; only after a failed sync would it not be.
            let mayBeFull = [0, ENOSPC, EDQUOT, EFBIG].contains(systemError)
            throw StateError(
                .retry,
                "can't write the state file \(path): a quota, a limit on the size of files, or a failing disk; once it can be written, the job goes on by itself",
                cause: mayBeFull ? FullDisk(path: path, reason: "\(cause)") : cause
            )
        case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_INTERRUPT:
            throw StateError(
                .corrupt,
                "the state file \(path) is damaged or not made by Tidemark: its rows contradict each other, or are more or longer than its size allows; \(StateError.wayOut)",
                cause: cause)
        case SQLITE_ERROR where reason == "integer overflow":
            throw StateError(
                .corrupt, "the state file \(path) is damaged or not made by Tidemark: numbers in it have no sum; \(StateError.wayOut)",
                cause: cause)
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            throw StateError(.corrupt, "the state file \(path) is damaged; \(StateError.wayOut)", cause: cause)
        case SQLITE_BUSY, SQLITE_LOCKED:
            throw StateError(.locked, "another process has the state file \(path) open; stop it first", cause: cause)
        case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM:
            throw StateError(.invalid, "can't write the state file \(path); check the directory's owner and permissions", cause: cause)
        case SQLITE_IOERR:
            throw StateError(
                .invalid, "reading or writing the state file \(path) failed; check the disk (dmesg), then start the job again", cause: cause
            )
        default:
            throw StateError(.bug, "an unexpected answer from SQLite about \(path)", cause: cause)
        }
    }
}

/// `SQLITE_IOERR_WRITE`, a macro that Swift does not import.
private let ioErrorWrite = SQLITE_IOERR | (3 << 8)

/// What SQLite itself said.
struct SQLiteFailure: Error, CustomStringConvertible {
    let code: Int32
    let systemError: Int32
    let reason: String
    let action: String

    var description: String { "SQLite \(code), errno \(systemError): \(reason), while: \(action.prefix(120))" }
}
