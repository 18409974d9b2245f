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
            let (batches, outputs) = (BatchLedger(database), OutputTables(database: database))
            // What is not known to be delivered waits as rows that were never in a batch, in the order in which they came.
            try batches.removeUndelivered(facts.lineage)
            for table in tables.subtracting(facts.tables.map(\.name)).sorted() { try outputs.add(table) }
            for (table, _) in try outputs.inOrder() {
                let end = LineageEnd(lineage: facts.lineage, lastBatch: try batches.lastNumber(facts.lineage, ofTable: table))
                try LineageEnds(database: database).set(end, ofTable: table)
            }
            try MetaTable(database).set("lineage", String(lineage.number))
            try MetaTable(database).set(SQLiteStateStore.rollbackEntry, RollbackPlan.Stage.due.rawValue)
        }
    }

    /// A batch that was resolved before one with a smaller number: there is no last batch that counts.
    func refuseHoles() throws {
        guard let lineage = try MetaTable(database).number("lineage", StoredBounds.lineage) else { return }
        for (table, name) in try OutputTables(database: database).inOrder() {
            guard let number = try BatchLedger(database).hole(lineage, ofTable: table) else { continue }
            throw StateError(
                .invalid,
                "batch \(name):\(number) was not delivered when a later one of its table was resolved, so nobody can say which batch was the last; resolve it with the version of Tidemark that wrote the state, or restore another checkpoint"
            )
        }
    }
}
