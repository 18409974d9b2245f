import CSQLite
import Engine
import Glibc

extension Database {
    /// The one number that a query gives.
    func integer(_ sql: String) throws -> Int64 { try first(sql) { $0.integer(0) } ?? 0 }

    /// What `read` makes of a query's first row; nil when it gives none.
    func first<Row>(_ sql: String, _ values: Statement.Value..., read: (Statement) throws -> Row) throws -> Row? {
        let row = try Statement(self, sql)
        try row.bind(all: values)
        return try row.step() ? read(row) : nil
    }

    /// What `read` makes of each row.
    func rows<Row>(_ sql: String, _ values: Statement.Value..., read: (Statement) throws -> Row) throws -> [Row] {
        let row = try Statement(self, sql)
        try row.bind(all: values)
        var found: [Row] = []
        while try row.step() { found.append(try read(row)) }
        return found
    }

    /// Hands over each row, until the next.
    func forEachRow(_ sql: String, _ values: Statement.Value..., body: (Statement) throws -> Void) throws {
        let row = try Statement(self, sql)
        try row.bind(all: values)
        while try row.step() { try body(row) }
    }

    /// Runs a statement that gives no rows.
    func run(_ sql: String, _ values: Statement.Value...) throws { try Statement(self, sql).run(all: values) }

    /// The number of the row that was inserted last.
    var lastRowID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Removes a file that is there or not, with what belongs to it.
    static func remove(_ path: String) throws {
        for file in [path, path + "-wal", path + "-journal"] where unlink(file) != 0 && errno != ENOENT {
            throw StateError(
                .invalid,
                "can't remove \(file): \(String(cString: strerror(errno))); check its directory's owner and permissions, or remove it by hand"
            )
        }
    }
}
