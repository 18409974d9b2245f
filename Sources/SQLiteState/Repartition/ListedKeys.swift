import Engine

/// Keys with their partitions, in a file of their own: there may be more than fit into memory.
package final class ListedKeys {
    private let database: Database
    private let insert: Statement
    private let select: Statement

    /// Makes the file, in a directory for such things.
    package init(scratch: String) throws {
        database = try Database(path: scratch + "/keys.db", for: .export)
        try database.execute("PRAGMA cache_size = -65536")
        try database.execute("CREATE TABLE listed (key BLOB PRIMARY KEY, partition INTEGER NOT NULL) WITHOUT ROWID")
        insert = try Statement(
            database, "INSERT INTO listed (key, partition) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET partition = excluded.partition")
        select = try Statement(database, "SELECT partition FROM listed WHERE key = ?")
    }

    /// Adds what `body` gives to the closure that it gets; of a key that comes twice the last counts.
    package func add(_ body: ((_ key: [UInt8], _ partition: Int) throws -> Void) throws -> Void) throws {
        try database.execute("BEGIN IMMEDIATE")
        try body { [insert] key, partition in
            try key.withUnsafeBytes { try insert.run(.blob(ByteView($0)), .integer(Int64(partition))) }
        }
        try database.execute("COMMIT")
    }

    func partition(of key: ByteView) throws -> Int? {
        try select.bind(.blob(key))
        defer { select.reset() }
        return try select.step() ? Int(select.integer(0)) : nil
    }
}
