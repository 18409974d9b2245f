import Engine

/// A row of `delta` without its changes.
struct DeltaRow {
    let number: Int64
    let group: CompactionGroup
    let epoch: Epoch
    let bytes: Int
    /// It is in the keyed rows, and kept for the next checkpoint.
    let isCompacted: Bool

    /// Hands over every row in order of numbers, in one look at the table.
    static func forEach(in database: Database, _ body: (DeltaRow) throws -> Void) throws {
        var marks: [CompactionGroup: Int64] = [:]
        // Files of format 1 have none.
        if try database.integer("SELECT count(*) FROM main.sqlite_schema WHERE name = 'fold_mark'") > 0 {
            let mark = try Statement(database, "SELECT task, state_table, through FROM main.fold_mark")
            while try mark.step() {
                marks[CompactionGroup(task: mark.integer(0), table: mark.integer(1))] = try mark.number(2, StoredBounds.counter)
            }
        }
        let row = try Statement(database, "SELECT sequence, task, state_table, epoch, length(bytes) FROM main.delta ORDER BY sequence")
        while try row.step() {
            let group = CompactionGroup(task: row.integer(1), table: row.integer(2))
            try body(
                DeltaRow(
                    number: try row.rowNumber(0), group: group, epoch: try row.epoch(3), bytes: row.isNull(4) ? 0 : try row.count(4),
                    isCompacted: marks[group].map { row.integer(3) <= $0 } ?? false
                ))
        }
    }
}
