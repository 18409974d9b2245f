/// The table `partitions`: how many partitions each topic and stage has, until the state is repartitioned.
struct PartitionTable {
    static let name = "partitions"
    static let create = "CREATE TABLE partitions (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;"

    let database: Database

    func all() throws -> [String: Int] {
        try Dictionary(database.rows("SELECT name, count FROM partitions") { ($0.text(0), try $0.partition(1)) }) { $1 }
    }

    func add(_ name: String, _ count: Int) throws {
        try database.run("INSERT INTO partitions (name, count) VALUES (?, ?)", .text(name), .integer(Int64(count)))
    }

    func set(_ name: String, _ count: Int) throws {
        try database.run("UPDATE partitions SET count = ? WHERE name = ?", .integer(Int64(count)), .text(name))
    }
}
