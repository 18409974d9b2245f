import CSQLite
import Engine
import Glibc

/// What the content of a file that somebody else may have made can make SQLite do: a page that many others point to reads as
/// endless rows, a chain of pages that closes reads as a value of gigabytes. Bounds follow from the file's size.
struct ContentBounds {
    /// The longest value.
    let valueBytes: Int
    /// Of all values that one statement hands over.
    let readBytes: Int
    /// What one statement runs, in instructions of SQLite's machine: a row takes some ten.
    private(set) var instructions: Int

    /// For files of so many bytes together.
    init(fileBytes: Int) {
        let bytes = min(max(fileBytes, 0), ContentBounds.largestFile)
        valueBytes = min(max(bytes, ContentBounds.leastValue), ContentBounds.longestValue)
        readBytes = 4 * bytes + ContentBounds.leastValue
        instructions = 2_000_000 + 200 * bytes
    }

    /// The same for a query that somebody wrote, who may wait for it.
    func forQuery(instructions: Int) -> ContentBounds {
        var bounds = self
        bounds.instructions = max(instructions, 1)
        return bounds
    }

    private static let largestFile = 1 << 50
    private static let leastValue = 1 << 20
    /// What SQLite takes.
    fileprivate static let longestValue = 1_000_000_000
    /// After so many instructions they are looked at.
    fileprivate static let step: Int32 = 10_000
}

extension Database {
    /// What no file of ours and no query needs more of.
    private static let limits: [(limit: Int32, most: Int32)] = [
        (SQLITE_LIMIT_SQL_LENGTH, 1_000_000), (SQLITE_LIMIT_COLUMN, 1000), (SQLITE_LIMIT_EXPR_DEPTH, 200),
        (SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (SQLITE_LIMIT_VDBE_OP, 250_000), (SQLITE_LIMIT_FUNCTION_ARG, 100), (SQLITE_LIMIT_ATTACHED, 1),
        (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
        (SQLITE_LIMIT_VARIABLE_NUMBER, 2000), (SQLITE_LIMIT_TRIGGER_DEPTH, 0), (SQLITE_LIMIT_WORKER_THREADS, 0),
    ]

    /// Lets nothing in a file's schema run.
    static func restrict(_ handle: OpaquePointer) throws {
        for (limit, most) in limits { sqlite3_limit(handle, limit, most) }
        QueryPermissions.dropModules(handle)
        for option in [
            SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
            SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
        ] {
            try turn(option, on: false, handle)
        }
    }

    /// What SQLite itself keeps from writing then: its schema, and how a file's pages are read.
    static func beDefensive(_ handle: OpaquePointer) throws { try turn(SQLITE_DBCONFIG_DEFENSIVE, on: true, handle) }

    private static func turn(_ option: Int32, on: Bool, _ handle: OpaquePointer) throws {
        guard sqlite3_db_config_switch(handle, option, on ? 1 : 0) == SQLITE_OK else {
            throw StateError(.bug, "SQLite knows no option \(option), which keeps files of others from harm; use SQLite 3.40 or later")
        }
    }

    /// Bounds what the file's content, and that of `others`, makes SQLite do.
    func boundContent(with others: [String] = []) {
        let bytes = ([path, path + "-wal"] + others).reduce(0) { $0 + Database.size(of: $1) }
        let bounds = ContentBounds(fileBytes: bytes)
        self.bounds = bounds
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(bounds.valueBytes))
        sqlite3_progress_handler(
            handle, ContentBounds.step,
            { context in
                let database = Unmanaged<Database>.fromOpaque(context!).takeUnretainedValue()
                database.instructions += Int(ContentBounds.step)
                return database.instructions > database.bounds?.instructions ?? .max ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Bounds a query instead of what the file's content makes of ours.
    func boundQuery(instructions: Int, valueBytes: Int) {
        guard let known = bounds else { return }
        bounds = known.forQuery(instructions: instructions)
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(max(known.valueBytes, valueBytes)))
    }

    /// The file is this process's own from here on: what it grows by is bounded by what is put in.
    func trustContent() {
        bounds = nil
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(ContentBounds.longestValue))
        sqlite3_progress_handler(handle, 0, nil, nil)
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
