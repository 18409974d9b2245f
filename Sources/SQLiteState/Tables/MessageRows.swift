import Engine

/// A batch between tasks as its row says.
struct StoredMessages {
    let number: Int64
    let sender: Int64
    let receiver: Int64
    let epoch: Epoch
    let count: Int
    let layout: Int64
    let bytes: [UInt8]
}

/// The table `message`: batches between tasks that the receiver has not processed.
struct MessageRows {
    static let name = "message"
    static let create = """
        CREATE TABLE message (
            sequence INTEGER PRIMARY KEY, sender INTEGER NOT NULL, receiver INTEGER NOT NULL, epoch INTEGER NOT NULL,
            count INTEGER NOT NULL, layout INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        """
    static let createFormat2 = """
        CREATE TABLE message (
            sequence INTEGER PRIMARY KEY, sender INTEGER NOT NULL, receiver INTEGER NOT NULL, epoch INTEGER NOT NULL,
            count INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        """
    /// What waits gets the layout 0, which is none.
    static let upgradeOfFormat2 = """
        ALTER TABLE message RENAME TO message_2;
        \(create)
        INSERT INTO message (sequence, sender, receiver, epoch, count, layout, bytes)
            SELECT sequence, sender, receiver, epoch, count, 0, bytes FROM message_2;
        DROP TABLE message_2;
        """

    let database: Database
    private let insert: KeptStatement
    private let delete: KeptStatement

    init(_ database: Database) {
        self.database = database
        insert = KeptStatement(database, "INSERT INTO message (sender, receiver, epoch, count, layout, bytes) VALUES (?, ?, ?, ?, ?, ?)")
        delete = KeptStatement(database, "DELETE FROM message WHERE sequence = ?")
    }

    /// Returns the row's number.
    func add(_ batch: MessageBatch, from sender: Int64, to receiver: Int64, _ epoch: Epoch, layout: Int64) throws -> Int64 {
        try batch.bytes.withUnsafeBytes { bytes in
            try insert.run(
                .integer(sender), .integer(receiver), .integer(Int64(epoch.number)), .integer(Int64(batch.count)), .integer(layout),
                .blob(ByteView(bytes)))
        }
        return database.lastRowID
    }

    func remove(_ number: Int64) throws { try delete.run(.integer(number)) }

    func removeAll() throws { try database.execute("DELETE FROM message") }

    /// Those of one layout, or all, in order of numbers.
    func forEach(of layout: Int64? = nil, _ body: (StoredMessages) throws -> Void) throws {
        let condition = layout.map { " WHERE layout = \($0)" } ?? ""
        try database.forEachRow("SELECT sequence, sender, receiver, epoch, count, layout, bytes FROM message\(condition) ORDER BY sequence")
        { row in
            let stored = StoredMessages(
                number: try row.rowNumber(0), sender: row.integer(1), receiver: row.integer(2), epoch: try row.epoch(3),
                count: try row.count(4), layout: row.integer(5),
                bytes: row.blob(6).copy()
            )
            // A message takes two bytes at least.
            guard stored.count <= stored.bytes.count / 2 else {
                throw database.damaged("a batch between tasks has fewer messages than it says")
            }
            try body(stored)
        }
    }

    /// The numbers of the tasks that some wait for.
    func receivers() throws -> [Int64] { try database.rows("SELECT DISTINCT receiver FROM message") { $0.integer(0) } }

    /// The numbers of the layouts of those that wait.
    func layouts() throws -> [Int64] { try database.rows("SELECT DISTINCT layout FROM message ORDER BY layout") { $0.integer(0) } }

    /// Lays those of an unknown layout out anew.
    func set(layout: Int64, of receiver: Int64) throws {
        try database.run(
            "UPDATE message SET layout = ? WHERE layout = ? AND receiver = ?", .integer(layout), .integer(OutputLayouts.unknown),
            .integer(receiver))
    }

    /// How many batches there are, and their bytes.
    func size() throws -> (count: Int, bytes: Int) {
        try database.first("SELECT count(*), coalesce(sum(length(bytes)), 0) FROM message") { (Int($0.integer(0)), Int($0.integer(1))) }
            ?? (0, 0)
    }
}
