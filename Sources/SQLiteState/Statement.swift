import CSQLite
import Engine

/// A prepared statement: born in `init`, finalized in `deinit`, used over and over.
final class Statement {
    private let handle: OpaquePointer
    private unowned let database: Database
    let sql: String
    /// What running it took since its values were bound.
    private var instructions = 0
    /// The bytes of all values that were handed over.
    private var readBytes = 0

    init(_ database: Database, _ sql: String) throws {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        try database.check(code, while: sql)
        guard let prepared else { throw StateError(.bug, "an empty statement: \(sql)") }
        handle = prepared
        self.database = database
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// A value to bind; blobs are borrowed and must stay where they are until the statement was stepped.
    enum Value {
        case null
        case integer(Int64)
        case text(String)
        case blob(ByteView)
    }

    /// Binds all parameters in order, for a query to step through.
    func bind(_ values: Value...) throws { try bind(all: values) }

    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// True when there is a row to read.
    func step() throws -> Bool {
        if let bounds = database.bounds, readBytes > bounds.readBytes { throw damaged("its values together are longer than the file") }
        let code = counted { sqlite3_step(handle) }
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE:
            sqlite3_reset(handle)
            return false
        default:
            sqlite3_reset(handle)
            try database.check(code, while: sql)
            return false
        }
    }

    /// Counts what is run for this statement, also where it is run in the middle of another one.
    private func counted(_ body: () -> Int32) -> Int32 {
        let others = database.instructions
        database.instructions = instructions
        defer {
            instructions = database.instructions
            database.instructions = others
        }
        return body()
    }

    func damaged(_ what: String) -> StateError {
        StateError(
            .corrupt,
            "the state file \(database.path) is damaged or not made by Tidemark: \(what) (in \(sql.prefix(120))); \(StateError.wayOut)")
    }

    /// Binds and runs a statement that gives no rows.
    func run(_ values: Value...) throws { try run(all: values) }

    /// The same with values in an array.
    func run(all values: [Value]) throws {
        try bind(all: values)
        while try step() {}
    }

    func bind(all values: [Value]) throws {
        sqlite3_reset(handle)
        instructions = 0
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
    }

    private func bind(_ value: Value, at position: Int32) throws {
        let code: Int32 =
            switch value {
            case .null: sqlite3_bind_null(handle, position)
            case .integer(let number): sqlite3_bind_int64(handle, position, number)
            case .text(let text): sqlite3_bind_text(handle, position, text, Int32(text.utf8.count), Statement.transient)
            // A zero-length blob needs a pointer, or it would be NULL.
            case .blob(let bytes) where bytes.count == 0: sqlite3_bind_zeroblob(handle, position, 0)
            case .blob(let bytes): sqlite3_bind_blob64(handle, position, bytes.start, UInt64(bytes.count), nil)
            }
        try database.check(code, while: sql)
    }

    func reset() { sqlite3_reset(handle) }

    /// A column as it is stored; a blob is valid until the next step.
    func value(_ column: Int32) -> Value {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_BLOB: .blob(blob(column))
        // No table of ours holds fractions; what damage made one is kept as its text.
        default: .text(text(column))
        }
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        readBytes += Int(sqlite3_column_bytes(handle, column))
        return String(cString: start)
    }

    func name(of column: Int32) -> String { sqlite3_column_name(handle, column).map { String(cString: $0) } ?? "\(column)" }
    func isInteger(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_INTEGER }

    /// Valid until the next step.
    func blob(_ column: Int32) -> ByteView {
        let start = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        readBytes += count
        return ByteView(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }
}
