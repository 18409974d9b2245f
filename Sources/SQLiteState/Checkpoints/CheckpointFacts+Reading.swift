import Engine

extension CheckpointFacts {
    /// Reads the facts of a state file of this version's format.
    init(of database: Database) throws {
        func entry(_ name: String) throws -> String {
            guard let value = try database.meta(name) else {
                throw StateError(.corrupt, "the state file \(database.path) lacks its entry '\(name)'; \(StateError.wayOut)")
            }
            return value
        }
        func number(_ name: String, _ bounds: ClosedRange<Int64>) throws -> Int64 { try database.number(try entry(name), of: name, bounds) }
        let lineage = Lineage(UInt32(try number("lineage", StoredBounds.lineage)))
        self.init(
            job: try entry("job"), jobVersion: Int(try number("job_version", StoredBounds.version)),
            stateFormat: Int(try database.integer("PRAGMA user_version")),
            identity: try database.meta("identity") ?? "", hashKey: try HashKeyEntry(database: database).read(), lineage: lineage,
            epoch: Epoch(UInt64(try number("epoch", StoredBounds.counter))),
            partitions: try CheckpointFacts.partitions(database), tasks: try CheckpointFacts.tasks(database),
            tables: try CheckpointFacts.tables(database, lineage)
        )
    }

    static func partitions(_ database: Database) throws -> [String: Int] {
        var partitions: [String: Int] = [:]
        let statement = try Statement(database, "SELECT name, count FROM partitions")
        while try statement.step() { partitions[statement.text(0)] = try statement.partition(1) }
        return partitions
    }

    private static func tasks(_ database: Database) throws -> [TaskProgress] {
        var tasks: [TaskProgress] = []
        let statement = try Statement(database, "SELECT stage, partition, watermark, next_offset FROM task")
        while try statement.step() {
            let watermark = statement.isNull(2) ? EventTime.distantPast : try statement.eventTime(2)
            tasks.append(
                TaskProgress(
                    id: TaskID(stage: StageName(statement.text(0)), partition: try statement.partition(1)),
                    watermark: watermark == .distantPast ? nil : watermark, next: statement.isNull(3) ? nil : try statement.offset(3)
                ))
        }
        return tasks.sorted { $0.id < $1.id }
    }

    private static func tables(_ database: Database, _ lineage: Lineage) throws -> [TableProgress] {
        var tables: [TableProgress] = []
        let names = try database.outputTables()
        // By the primary key from its end: a ledger of a week is not gone through.
        let statement = try Statement(
            database,
            """
            SELECT id, (SELECT max(number) FROM batch WHERE output_table = id AND lineage = ?1),
                (SELECT number FROM batch WHERE output_table = id AND lineage = ?1 AND delivered_epoch IS NOT NULL ORDER BY number DESC LIMIT 1)
            FROM output_table
            """)
        try statement.bind(.integer(Int64(lineage.number)))
        while try statement.step() {
            tables.append(
                TableProgress(
                    name: names[statement.integer(0)] ?? "", lastFrozen: try statement.batch(1), lastDelivered: try statement.batch(2)))
        }
        return tables.sorted { $0.name < $1.name }
    }
}

extension SQLiteStateStore {
    /// What a manifest says of the state as it is now.
    public func checkpointFacts() throws -> CheckpointFacts {
        try exclusively {
            _ = try ready()
            return try CheckpointFacts(of: database)
        }
    }
}
