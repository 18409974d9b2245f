import Engine
import Glibc

extension Database {
    /// The one number that a query gives.
    func integer(_ sql: String) throws -> Int64 {
        let statement = try Statement(self, sql)
        _ = try statement.step()
        return statement.integer(0)
    }

    /// The number of the row that was inserted last.
    func lastRowID() throws -> Int64 { try integer("SELECT last_insert_rowid()") }

    /// An entry of the state file's table `meta`; nil when it has none of that name.
    func meta(_ name: String) throws -> String? {
        let statement = try Statement(self, "SELECT value FROM meta WHERE name = ?")
        try statement.bind(.text(name))
        return try statement.step() ? statement.text(0) : nil
    }

    /// The output tables that the state file knows, by number. Their names go into statements that a server runs.
    func outputTables() throws -> [Int64: String] {
        var names: [Int64: String] = [:]
        let output = try Statement(self, "SELECT id, name FROM output_table")
        while try output.step() {
            guard PlainName.isOutputTable(output.text(1)) else {
                throw StateError(
                    .corrupt,
                    "the state file \(path) is damaged: \(quotedJSON(output.text(1))) is no name of an output table; \(StateError.wayOut)")
            }
            names[try output.rowNumber(0)] = output.text(1)
        }
        return names
    }

    func setMeta(_ name: String, _ value: String) throws {
        try Statement(self, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value").run(
            .text(name), .text(value))
    }

    func removeMeta(_ name: String) throws {
        try Statement(self, "DELETE FROM meta WHERE name = ?").run(.text(name))
    }

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
