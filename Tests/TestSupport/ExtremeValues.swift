import CSQLite
import Foundation

/// Values that somebody who wants to do harm puts where a number or a text is expected, and where a state file has such places.
package enum ExtremeValues {
    package static let integers: [Int64] = [0, -1, 1 << 31, -(1 << 31), (1 << 32) - 1, 1 << 53, -(1 << 53), .max, .min]

    /// Texts that end what stands around them, that switch escaping off where it goes by characters, and a long one.
    package static let texts = [
        "", "x", "9223372036854775808", "-1", "\u{600}' OR 1 --", "\u{600}\"", "\u{600}/\u{301}", "a\u{0}b\u{1B}[2J",
        String(repeating: "0", count: 1 << 16),
    ]

    /// A column of a row that may hold any of the values.
    package struct Place: Sendable, CustomStringConvertible {
        package let table: String
        package let column: String
        /// For the row: a condition.
        package let row: String

        package var description: String { "\(table).\(column) where \(row)" }
    }

    /// Every column of the first and the last row of each table, and the values of all entries of `meta`.
    package static func places(inStateFile path: String) throws -> [Place] {
        let file = try RawSQLite(path)
        var places: [Place] = []
        for table in try file.texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
            let keys = try file.texts("SELECT name FROM pragma_table_info('\(table)') WHERE pk > 0 ORDER BY pk").joined(separator: ", ")
            let descending = try file.texts("SELECT name || ' DESC' FROM pragma_table_info('\(table)') WHERE pk > 0 ORDER BY pk").joined(
                separator: ", ")
            let columns = try file.texts("SELECT name FROM pragma_table_info('\(table)') ORDER BY cid")
            if table == "meta" {
                for name in try file.texts("SELECT name FROM meta") {
                    places.append(Place(table: table, column: "value", row: "name = '\(name.replacingOccurrences(of: "'", with: "''"))'"))
                }
                continue
            }
            guard try file.texts("SELECT count(*) FROM \(table)") != ["0"] else { continue }
            for order in Set([keys, descending]).sorted() {
                let row = "(\(keys)) = (SELECT \(keys) FROM \(table) ORDER BY \(order) LIMIT 1)"
                places += columns.map { Place(table: table, column: $0, row: row) }
            }
        }
        return places
    }

    /// Puts a value at a place, as another program would. False when the table takes no such value there.
    package static func put(_ value: Int64, at place: Place, inStateFile path: String) throws -> Bool {
        try RawSQLite(path).execute(
            "UPDATE OR REPLACE \(place.table) SET \(place.column) = \(value == .min ? "-9223372036854775807 - 1" : "\(value)") WHERE \(place.row)"
        )
    }

    package static func put(_ text: String, at place: Place, inStateFile path: String) throws -> Bool {
        let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return try RawSQLite(path).execute(
            "UPDATE OR REPLACE \(place.table) SET \(place.column) = CAST(x'\(hex)' AS TEXT) WHERE \(place.row)")
    }

    package static func put(_ bytes: [UInt8], at place: Place, inStateFile path: String) throws -> Bool {
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return try RawSQLite(path).execute("UPDATE OR REPLACE \(place.table) SET \(place.column) = x'\(hex)' WHERE \(place.row)")
    }
}

/// SQLite without Tidemark's care, as another program uses it.
package final class RawSQLite {
    private let handle: OpaquePointer

    package init(_ path: String) throws {
        var opened: OpaquePointer?
        guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else { throw WaitedTooLong(description: "\(path) can't be opened") }
        handle = opened
        // The one who had the file before may be about to close it.
        sqlite3_busy_timeout(handle, 5_000)
    }

    deinit { sqlite3_close_v2(handle) }

    /// False for what the tables' own constraints refuse.
    @discardableResult
    package func execute(_ sql: String) throws -> Bool {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code & 0xFF != SQLITE_CONSTRAINT, code & 0xFF != SQLITE_MISMATCH else { return false }
        guard code == SQLITE_OK else { throw WaitedTooLong(description: "\(sql.prefix(200)): \(String(cString: sqlite3_errmsg(handle)))") }
        return true
    }

    /// The first column of a query's rows.
    package func texts(_ sql: String) throws -> [String] {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
            throw WaitedTooLong(description: "\(sql): \(String(cString: sqlite3_errmsg(handle)))")
        }
        defer { sqlite3_finalize(statement) }
        var found: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW { found.append(sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? "") }
        return found
    }
}
