import Engine

/// Begins a lineage in a state file.
struct LineageStart {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// `tables`: the job's output tables that rows may have been delivered to, beside those that the state knows.
    func begin(_ lineage: Lineage, tables: Set<String>) throws {
        let facts = try CheckpointFacts(of: database)
        guard lineage > facts.lineage else {
            throw StateError(
                .invalid,
                "the state in \(database.path) is of lineage \(facts.lineage) already, so it can't begin lineage \(lineage); a new lineage has a larger number than all before it"
            )
        }
        guard StoredBounds.lineage.contains(Int64(lineage.number)) else {
            throw StateError(
                .invalid,
                "the state in \(database.path) can't begin lineage \(lineage): \(StoredBounds.lineage.upperBound) is the last there is; start the job anew with new tables"
            )
        }
        try database.transaction {
            try refuseHoles()
            let old = Statement.Value.integer(Int64(facts.lineage.number))
            // What is not known to be delivered waits as rows that were never in a batch, in the order in which they came.
            try Statement(database, "DELETE FROM batch WHERE lineage = ? AND delivered_epoch IS NULL").run(old)
            for table in tables.subtracting(facts.tables.map(\.name)).sorted() {
                try Statement(database, "INSERT INTO output_table (name) VALUES (?)").run(.text(table))
            }
            try Statement(
                database,
                """
                INSERT OR REPLACE INTO lineage_end (output_table, lineage, last_batch)
                SELECT id, ?1, coalesce((SELECT max(number) FROM batch WHERE output_table = id AND lineage = ?1), 0) FROM output_table
                """
            ).run(old)
            try database.setMeta("lineage", String(lineage.number))
            try database.setMeta(SQLiteStateStore.rollbackEntry, RollbackPlan.Stage.due.rawValue)
        }
    }

    /// A batch that was resolved before one with a smaller number: there is no last batch that counts.
    func refuseHoles() throws {
        guard let lineage = try database.metaNumber("lineage", StoredBounds.lineage) else { return }
        let hole = try Statement(
            database,
            """
            SELECT name, number FROM batch JOIN output_table ON id = output_table WHERE lineage = ?1 AND delivered_epoch IS NULL
            AND number < (SELECT max(number) FROM batch AS later WHERE later.output_table = id AND later.lineage = ?1 AND later.delivered_epoch IS NOT NULL)
            """)
        try hole.bind(.integer(lineage))
        guard try hole.step() else { return }
        throw StateError(
            .invalid,
            "batch \(hole.text(0)):\(hole.integer(1)) was not delivered when a later one of its table was resolved, so nobody can say which batch was the last; resolve it with the version of Tidemark that wrote the state, or restore another checkpoint"
        )
    }
}
