import Engine

/// The table `epoch_offsets`: when an epoch was committed, and how far each task that read in it had read at its end: varint task, zigzag
/// offset.
struct EpochOffsets {
    static let name = "epoch_offsets"
    static let create = "CREATE TABLE epoch_offsets (epoch INTEGER PRIMARY KEY, committed_at INTEGER NOT NULL, offsets BLOB NOT NULL);"
    /// The most entries that are dropped at once.
    private static let prunedAtOnce = 2048

    let database: Database
    private let insert: KeptStatement

    init(_ database: Database) {
        self.database = database
        insert = KeptStatement(database, "INSERT INTO epoch_offsets (epoch, committed_at, offsets) VALUES (?, ?, ?)")
    }

    func add(_ epoch: Epoch, committedAt: Int64, _ offsets: ByteView) throws {
        try insert.run(.integer(Int64(epoch.number)), .integer(committedAt), .blob(offsets))
    }

    /// When the last epoch that is there was committed, milliseconds since 1970 UTC by the worker's clock.
    func lastCommittedAt() throws -> Int64? {
        try database.first("SELECT committed_at FROM epoch_offsets ORDER BY epoch DESC LIMIT 1") { try $0.clock(0) }
    }

    /// Goes back from an epoch, until `body` says that it has enough.
    func forEach(
        backwardsFrom epoch: Epoch, _ body: (_ epoch: Epoch, _ committedAt: () throws -> Int64, _ offsets: ByteView) throws -> Bool
    ) throws {
        let row = try Statement(database, "SELECT epoch, committed_at, offsets FROM epoch_offsets WHERE epoch <= ? ORDER BY epoch DESC")
        try row.bind(.integer(Int64(clamping: epoch.number)))
        while try row.step(), try body(try row.epoch(0), { try row.clock(1) }, row.blob(2)) {}
    }

    /// Drops those of before a time, a bounded number at once.
    func prune(before time: Int64) throws {
        let oldest = "SELECT epoch FROM epoch_offsets ORDER BY epoch LIMIT \(EpochOffsets.prunedAtOnce)"
        try database.run("DELETE FROM epoch_offsets WHERE epoch IN (\(oldest)) AND committed_at < ?", .integer(time))
    }

    /// Copies those of later epochs to another of the connection's files.
    func copy(to other: String, after epoch: Epoch) throws {
        try database.run(
            "INSERT INTO \(other).epoch_offsets SELECT * FROM main.epoch_offsets WHERE epoch > ?", .integer(Int64(epoch.number)))
    }

    /// Takes those of another of the connection's files in place of the same ones here.
    func replace(from other: String) throws {
        try database.execute("INSERT OR REPLACE INTO main.epoch_offsets SELECT * FROM \(other).epoch_offsets")
    }
}
