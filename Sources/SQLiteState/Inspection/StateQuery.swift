import CSQLite
import Engine

/// A read-only SQL query over a state: each state table is there under its name, one row a record, its fields as typed
/// columns (`StoredTable.columns`), beside the file's own tables.
///
/// Records are decoded as the query asks for them; nothing is copied first.
package final class StateQuery {
    /// A value as SQLite has it.
    package enum Value: Equatable, Sendable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        case blob([UInt8])
    }

    package let columns: [String]
    private let reader: StateReader
    private let statement: OpaquePointer
    /// What it has run so far.
    private var instructions = 0

    /// What a query runs at most, in instructions of SQLite's machine: some minutes.
    package static let mostInstructions = 20_000_000_000
    /// The longest value that a query may make, if no value in the file is longer.
    private static let longestValue = 64 << 20

    private let mostInstructions: Int

    /// Throws kind `invalid` for SQL that is wrong, does more than read (`QueryPermissions`), or is more than one statement.
    package init(_ reader: StateReader, _ sql: String, mostInstructions: Int = StateQuery.mostInstructions) throws {
        self.reader = reader
        self.mostInstructions = mostInstructions
        let handle = reader.database.handle
        try reader.offerTables()
        reader.database.boundQuery(instructions: mostInstructions, valueBytes: StateQuery.longestValue)
        QueryPermissions.restrict(handle)
        var prepared: OpaquePointer?
        var rest = ""
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(handle, text, -1, &prepared, &tail)
            rest = tail.map { String(cString: $0) } ?? ""
            return code
        }
        guard code == SQLITE_OK else {
            let said = String(cString: sqlite3_errmsg(handle))
            QueryPermissions.lift(handle)
            // SQLite's words for a column that may not be read.
            let reason =
                code & 0xFF != SQLITE_AUTH
                ? said : said.starts(with: "access to ") ? "main.meta holds a secret; meta has the rest" : "it does more than read"
            if [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR].contains(code & 0xFF) { try reader.database.check(code, while: sql) }
            throw StateError(.invalid, "the query can't be run: \(reason)")
        }
        guard let prepared else { throw StateError(.invalid, "the query is empty; expected one SELECT") }
        statement = prepared
        columns = (0..<sqlite3_column_count(prepared)).map { String(cString: sqlite3_column_name(prepared, $0)) }
        guard sqlite3_stmt_readonly(prepared) != 0 else { throw StateError(.invalid, "the query can't be run: it does more than read") }
        guard rest.utf8.allSatisfy({ $0 <= 0x20 || $0 == UInt8(ascii: ";") }) else {
            throw StateError(.invalid, "the query is more than one statement: \(rest)")
        }
    }

    deinit {
        sqlite3_finalize(statement)
        QueryPermissions.lift(reader.database.handle)
        reader.database.boundContent()
    }

    /// The next row; nil at the end.
    package func next() throws -> [Value]? {
        reader.database.instructions = instructions
        let code = sqlite3_step(statement)
        instructions = reader.database.instructions
        switch code {
        case SQLITE_INTERRUPT where instructions > mostInstructions:
            throw StateError(
                .invalid, "the query ran \(mostInstructions) instructions and was not at its end; ask for less, a key or a window")
        case SQLITE_ROW: return columns.indices.map { value(Int32($0)) }
        case SQLITE_DONE: return nil
        default:
            if let failure = reader.queryFailure.take() { throw failure }
            if [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR].contains(code & 0xFF) { try reader.database.check(code, while: "a query") }
            throw StateError(.invalid, "the query failed: \(String(cString: sqlite3_errmsg(reader.database.handle)))")
        }
    }

    private func value(_ column: Int32) -> Value {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
        case SQLITE_TEXT:
            let count = Int(sqlite3_column_bytes(statement, column))
            let bytes = UnsafeRawBufferPointer(start: sqlite3_column_text(statement, column), count: count)
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(statement, column))
            return .blob([UInt8](UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, column), count: count)))
        default: return .null
        }
    }
}

/// The first thing that went wrong while SQLite called back into Swift, which can't throw through it.
final class QueryFailure {
    private var failure: (any Error)?

    func note(_ error: any Error) { if failure == nil { failure = error } }

    func take() -> (any Error)? {
        defer { failure = nil }
        return failure
    }
}
