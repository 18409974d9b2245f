import Engine

extension CheckpointFacts {
    /// Reads the facts of a state file of this version's format.
    init(of database: Database) throws {
        let meta = MetaTable(database)
        let lineage = Lineage(UInt32(try meta.requiredNumber("lineage", StoredBounds.lineage)))
        let batches = BatchLedger(database)
        let tasks = try TaskTable(database).all().map { task in
            TaskProgress(id: task.id, watermark: task.watermark == .distantPast ? nil : task.watermark, next: task.position?.next)
        }
        let tables = try OutputTables(database: database).all().map { table, name in
            TableProgress(
                name: name, lastFrozen: try batches.lastNumber(lineage, ofTable: table),
                lastDelivered: try batches.lastDelivered(lineage, ofTable: table))
        }
        self.init(
            job: try meta.required("job"), jobVersion: Int(try meta.requiredNumber("job_version", StoredBounds.version)),
            stateFormat: Int(try StateFormat.version(of: database)), identity: try meta.value("identity") ?? "",
            hashKey: try HashKeyEntry(database: database).read(),
            lineage: lineage, epoch: Epoch(UInt64(try meta.requiredNumber("epoch", StoredBounds.counter))),
            partitions: try PartitionTable(database: database).all(),
            tasks: tasks.sorted { $0.id < $1.id }, tables: tables.sorted { $0.name < $1.name }
        )
    }
}

extension SQLiteStateStore {
    /// What a manifest says of the state as it is now.
    package func checkpointFacts() throws -> CheckpointFacts {
        try exclusively {
            _ = try ready()
            return try CheckpointFacts(of: database)
        }
    }
}
