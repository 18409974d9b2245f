import Engine

/// Reads a state file without the code of the job that wrote it: what each table holds is told by the schemas beside it.
///
/// The file must not change meanwhile: a checkpoint's, or a state directory's that no worker has (`HeldState`).
/// It is never written. For the use of one thread.
public final class StateReader {
    /// The newest format that can be read; older ones can, too.
    public static let newestFormat = StateFormat.version

    let database: Database
    public let path: String
    /// What errors call it.
    private let name: String
    public let facts: StateFacts
    /// In order of stages, then names.
    public let tables: [StoredTable]
    /// Every table as it is stored, copies for an earlier version of the job and removed ones included.
    public let storedTables: [StoredStateTable]
    /// In order of stages, then partitions.
    public let tasks: [StoredTask]
    /// How many partitions each topic, and each stage that is sent to, has.
    public let partitions: [String: Int]
    /// The settings that the state is built on, by name.
    public let fixedSettings: [String: String]
    /// The topic that each stage reads; states of earlier versions don't say.
    public let topics: [StageName: String]
    let outputs: [Int64: String]
    /// The output tables as the job's versions declared them, those that were met first before the others; a file of an earlier
    /// format does not say them.
    public let outputLayouts: [StoredOutputLayout]
    private let tasksByNumber: [Int64: TaskID]
    /// nil until the first look at a table.
    private var uncompacted: UncompactedDeltas?
    let queryFailure = QueryFailure()
    var areTablesOffered = false

    /// `name`: what errors call the state, such as the checkpoint that it is of; nil for the file's path.
    public init(path: String, named name: String? = nil) throws {
        self.path = path
        self.name = name ?? "the state file \(path)"
        database = try Database(unchanging: path)
        facts = try StateFacts(database)
        let catalog = try CatalogTable.all(in: database)
        tables = StateReader.tables(catalog, of: self.name)
        storedTables = catalog.map(\.stored).sorted {
            ($0.stage, $0.schema.table, $0.schema.version) < ($1.stage, $1.schema.table, $1.schema.version)
        }
        tasks = try StateReader.tasks(database)
        tasksByNumber = try database.dictionary(tasks.map { ($0.number, $0.id) }, of: "task")
        partitions = try CheckpointFacts.partitions(database)
        fixedSettings = try FixedSettings.all(in: database)
        topics = try PlacementEntries(database: database).topics()
        outputs = try database.outputTables()
        outputLayouts = try OutputLayouts(database).all.map(\.layout)
    }

    /// What the state says of versions, to compare with what a job declares.
    public var storedVersions: StoredStateVersions {
        StoredStateVersions(jobVersion: facts.jobVersion, leastReader: facts.leastReader, tables: storedTables)
    }

    /// What a start that does this takes to migrate; nil when it migrates nothing.
    public func migration(_ compatibility: StateCompatibility) throws -> MigrationEstimate? {
        try MigrationEstimate(database, compatibility)
    }

    /// The tables that the job writes, in order of names.
    public var outputTables: [String] { outputs.values.sorted() }

    /// The table called `name`, or `stage.name` where several stages have one of that name.
    public func table(named name: String) throws -> StoredTable {
        let found = tables.filter { $0.schema.table == name || $0.fullName == name }
        if found.count == 1 { return found[0] }
        if let exact = found.first(where: { $0.fullName == name }) { return exact }
        guard found.isEmpty else {
            throw StateError(.invalid, "several stages have a table \(name); say which: " + found.map(\.fullName).joined(separator: ", "))
        }
        let others = tables.isEmpty ? "it has none" : "it has " + tables.map(\.fullName).joined(separator: ", ")
        throw StateError(.missing, "the state has no table \(name); \(others)")
    }

    /// All records of a table, those of a window, or those whose stored key begins so.
    public func scan(_ table: StoredTable, window: EventTime? = nil, prefix: [UInt8] = []) throws -> StateScan {
        let lead = window.map { WindowKey.prefix($0) } ?? []
        return try StateScan(self, table, partitions: tasks(of: table.stage), prefix: lead + prefix)
    }

    /// Throws kind `corrupt` when SQLite finds the file out of order, or the key is missing that remembered ids go by.
    public func checkFile() throws {
        let findings = try Statement(database, "PRAGMA integrity_check(1)")
        guard try findings.step(), findings.text(0) == "ok" else { throw damaged(findings.text(0)) }
        try HashKeyEntry(database: database).requireForIDs()
    }

    func tasks(of stage: StageName) -> [StoredTask] { tasks.filter { $0.id.stage == stage } }

    func task(numbered number: Int64) throws -> TaskID {
        guard let task = tasksByNumber[number] else { throw damaged("a row names the unknown task \(number)") }
        return task
    }

    func uncompactedChanges(of task: StoredTask, _ table: StoredTable) throws -> UncompactedChanges {
        let changes = UncompactedChanges()
        try forEachUncompactedDelta(of: task, table) { delta in
            guard changes.add(delta) else { throw damaged("a delta of table \(table.fullName) can't be read") }
        }
        changes.finish()
        return changes
    }

    /// Hands over the deltas of a task's table that are not in the compacted records yet, in order of epochs, each until the next.
    func forEachUncompactedDelta(of task: StoredTask, _ table: StoredTable, _ body: (ByteView) throws -> Void) throws {
        let deltas = try uncompacted ?? UncompactedDeltas(in: database)
        uncompacted = deltas
        try UncompactedDeltas.forEachChanges(of: deltas.rows(of: CompactionGroup(task: task.number, table: table.id)), in: database, body)
    }

    func damaged(_ what: String) -> StateError { StateError(.corrupt, "\(name) is damaged: \(what)") }

    /// The current tables, and those that were removed and kept; an earlier version's copy of a table is none of its own.
    private static func tables(_ catalog: [CatalogTable], of origin: String) -> [StoredTable] {
        let current = catalog.filter { $0.stored.role == .current }
        let names = Set(current.map { StateTableName($0.stored.stage, $0.schema.table) })
        let removed = catalog.filter { $0.stored.role == .removed && !names.contains(StateTableName($0.stored.stage, $0.schema.table)) }
        return (current + removed).map { StoredTable(id: $0.id, stage: $0.stored.stage, schema: $0.schema, origin: origin) }
            .sorted { ($0.stage, $0.schema.table) < ($1.stage, $1.schema.table) }
    }

    private static func tasks(_ database: Database) throws -> [StoredTask] {
        var tasks: [StoredTask] = []
        let statement = try Statement(
            database,
            "SELECT id, stage, partition, watermark, next_offset, last_offset, last_timestamp, last_checksum FROM task ORDER BY stage, partition"
        )
        while try statement.step() {
            tasks.append(
                StoredTask(
                    number: try statement.rowNumber(0),
                    id: TaskID(stage: StageName(statement.text(1)), partition: try statement.partition(2)),
                    watermark: statement.isNull(3) ? nil : try statement.eventTime(3), position: try statement.position(next: 4)
                ))
        }
        return tasks
    }
}
