import CSQLite
import Engine

/// A prepared statement: born in `init`, finalized in `deinit`, used over and over.
final class Statement {
    private let handle: OpaquePointer
    private unowned let database: Database
    private let sql: String

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
    func bind(_ values: Value...) throws {
        sqlite3_reset(handle)
        try bind(all: values)
    }

    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// True when there is a row to read.
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
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

    /// Binds and runs a statement that gives no rows.
    func run(_ values: Value...) throws { try run(all: values) }

    /// The same with values in an array.
    func run(all values: [Value]) throws {
        sqlite3_reset(handle)
        try bind(all: values)
        while try step() {}
    }

    private func bind(all values: [Value]) throws {
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
    }

    private func bind(_ value: Value, at position: Int32) throws {
        let code: Int32 = switch value {
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
    func text(_ column: Int32) -> String { sqlite3_column_text(handle, column).map { String(cString: $0) } ?? "" }

    /// Valid until the next step.
    func blob(_ column: Int32) -> ByteView {
        let start = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return ByteView(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }
}
