import Engine

/// A task of the state: how far it has read, and its watermark.
package struct StoredTask: Sendable {
    /// What stands for it in the file's rows.
    let number: Int64
    package let id: TaskID
    /// nil before the first record.
    package let watermark: EventTime?
    /// The watermark was raised last because a run ended.
    let isEnded: Bool
    /// nil for a task that reads no partition, or has read nothing.
    package let position: SourcePosition?
}

/// The table `task`: the tasks with their watermarks, and how far they have read; the last record read is kept to recognise the log.
struct TaskTable {
    static let name = "task"
    static let create = create(endedColumn: " ended INTEGER NOT NULL DEFAULT 0,")
    static let createFormat1 = create(endedColumn: "")
    static let upgradeOfFormat1 = "ALTER TABLE task ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;"

    /// `endedColumn`: what format 2 added.
    private static func create(endedColumn: String) -> String {
        """
        CREATE TABLE task (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, partition INTEGER NOT NULL, watermark INTEGER,
            next_offset INTEGER, last_offset INTEGER, last_timestamp INTEGER, last_checksum INTEGER,
           \(endedColumn) UNIQUE (stage, partition)
        );
        """
    }

    let database: Database
    private let position: KeptStatement
    private let watermark: KeptStatement

    init(_ database: Database) {
        self.database = database
        position = KeptStatement(
            database, "UPDATE task SET next_offset = ?, last_offset = ?, last_timestamp = ?, last_checksum = ? WHERE id = ?")
        watermark = KeptStatement(database, "UPDATE task SET watermark = ?, ended = ? WHERE id = ?")
    }

    /// In order of stages, then partitions. Throws kind `corrupt` when two are of one partition.
    func all() throws -> [StoredTask] {
        let ended = try StateFormat.version(of: database) == 1 ? "0" : "ended"
        var ids: Set<TaskID> = []
        return try database.rows(
            """
            SELECT id, stage, partition, watermark, \(ended), next_offset, last_offset, last_timestamp, last_checksum FROM task ORDER BY stage, partition
            """
        ) { row in
            let id = TaskID(stage: StageName(row.text(1)), partition: try row.partition(2))
            guard ids.insert(id).inserted else { throw database.damaged("task \(id) is there twice") }
            return StoredTask(
                number: try row.rowNumber(0), id: id, watermark: row.isNull(3) ? nil : try row.eventTime(3), isEnded: row.integer(4) != 0,
                position: try row.position(next: 5)
            )
        }
    }

    /// The same as a damaged file has them: number, stage and partition, whatever those are.
    func names() throws -> [(number: Int64, stage: String, partition: Int64)] {
        try database.rows("SELECT id, stage, partition FROM task ORDER BY stage, partition") { ($0.integer(0), $0.text(1), $0.integer(2)) }
    }

    /// Adds a task, and returns its number. `next`: where it begins to read; nil where its reader says.
    func add(_ task: TaskID, next: Int64? = nil) throws -> Int64 {
        try database.run(
            "INSERT INTO task (stage, partition, next_offset) VALUES (?, ?, ?)", .text(task.stage.text), .integer(Int64(task.partition)),
            next.map { .integer($0) } ?? .null
        )
        return database.lastRowID
    }

    func set(_ read: SourcePosition, of task: Int64) throws {
        try position.run(
            .integer(read.next), read.last.map { .integer($0.offset) } ?? .null, read.last.map { .integer($0.timestamp) } ?? .null,
            read.last.map { .integer(Int64($0.checksum)) } ?? .null, .integer(task)
        )
    }

    func set(watermark time: EventTime?, isEnded: Bool, of task: Int64) throws {
        try watermark.run(time.map { .integer($0.milliseconds) } ?? .null, .integer(isEnded ? 1 : 0), .integer(task))
    }
}
