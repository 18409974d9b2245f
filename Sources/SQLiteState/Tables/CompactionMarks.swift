import Engine

/// The table `fold_mark`: up to which epoch a group's rows of `delta` are in `keyed` already, where they are kept after that.
struct CompactionMarks {
    static let name = "fold_mark"
    static let create = """
        CREATE TABLE fold_mark (
            task INTEGER NOT NULL, state_table INTEGER NOT NULL, through INTEGER NOT NULL, PRIMARY KEY (task, state_table)
        ) WITHOUT ROWID;
        """

    let database: Database

    func all() throws -> [RecordGroup: Int64] {
        // Files of format 1 have none.
        guard try database.integer("SELECT count(*) FROM main.sqlite_schema WHERE name = '\(CompactionMarks.name)'") > 0 else { return [:] }
        let marks = try database.rows("SELECT task, state_table, through FROM main.fold_mark") { row in
            (RecordGroup(task: row.integer(0), table: row.integer(1)), try row.number(2, StoredBounds.counter))
        }
        return Dictionary(marks) { $1 }
    }

    func set(_ group: RecordGroup, through epoch: Epoch) throws {
        try database.run(
            "INSERT OR REPLACE INTO fold_mark (task, state_table, through) VALUES (?, ?, ?)", .integer(group.task), .integer(group.table),
            .integer(Int64(epoch.number))
        )
    }

    func remove(ofTable table: Int64) throws { try database.run("DELETE FROM fold_mark WHERE state_table = ?", .integer(table)) }

    func removeAll() throws { try database.execute("DELETE FROM main.fold_mark") }
}
