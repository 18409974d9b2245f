import Engine

/// Reads a state file without the code of the job that wrote it: what each table holds is told by the schemas beside it.
///
/// The file must not change meanwhile: a checkpoint's, or a state directory's that no worker has (`HeldState`).
/// It is never written. For the use of one thread.
package final class StateReader {
    /// The newest format that can be read; older ones can, too.
    package static let newestFormat = StateFormat.version

    let database: Database
    package let path: String
    /// What errors call it.
    private let name: String
    package let facts: StateFacts
    /// In order of stages, then names.
    package let tables: [StoredTable]
    /// Every table as it is stored, copies for an earlier version of the job and removed ones included.
    package let storedTables: [StoredStateTable]
    /// In order of stages, then partitions.
    package let tasks: [StoredTask]
    /// How many partitions each topic, and each stage that is sent to, has.
    package let partitions: [String: Int]
    /// The settings that the state is built on, by name.
    package let fixedSettings: [String: String]
    /// The topic that each stage reads; states of earlier versions don't say.
    package let topics: [StageName: String]
    let outputs: [Int64: String]
    /// The output tables as the job's versions declared them, those that were met first before the others; a file of an earlier
    /// format does not say them.
    package let outputLayouts: [StoredOutputLayout]
    private let tasksByNumber: [Int64: TaskID]
    /// nil until the first look at a table.
    private var waiting: WaitingDeltas?
    let queryFailure = QueryFailure()
    var areTablesOffered = false

    /// `name`: what errors call the state, such as the checkpoint that it is of; nil for the file's path.
    package init(path: String, named name: String? = nil) throws {
        self.path = path
        self.name = name ?? "the state file \(path)"
        database = try Database(unchanging: path)
        facts = try StateFacts(database)
        let catalog = try StateTableRows(database: database).all()
        tables = StateReader.tables(catalog, of: self.name)
        storedTables = catalog.map(\.stored).sorted {
            ($0.stage, $0.schema.table, $0.schema.version) < ($1.stage, $1.schema.table, $1.schema.version)
        }
        tasks = try TaskTable(database).all()
        tasksByNumber = try database.dictionary(tasks.map { ($0.number, $0.id) }, of: "task")
        partitions = try PartitionTable(database: database).all()
        fixedSettings = try FixedSettings.all(in: database)
        topics = try PlacementEntries(database: database).topics()
        outputs = try OutputTables(database: database).all()
        outputLayouts = try OutputLayouts(database).all.map(\.layout)
    }

    /// What the state says of versions, to compare with what a job declares.
    package var storedVersions: StoredStateVersions {
        StoredStateVersions(jobVersion: facts.jobVersion, leastReader: facts.leastReader, tables: storedTables)
    }

    /// What a start that does this takes to migrate; nil when it migrates nothing.
    package func migration(_ compatibility: StateCompatibility) throws -> MigrationEstimate? {
        try MigrationEstimate(database, compatibility)
    }

    /// The tables that the job writes, in order of names.
    package var outputTables: [String] { outputs.values.sorted() }

    /// The table called `name`, or `stage.name` where several stages have one of that name.
    package func table(named name: String) throws -> StoredTable {
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
    package func scan(_ table: StoredTable, window: EventTime? = nil, prefix: [UInt8] = []) throws -> StateScan {
        let lead = window.map { WindowKey.prefix($0) } ?? []
        return try StateScan(self, table, partitions: tasks(of: table.stage), prefix: lead + prefix)
    }

    /// Throws kind `corrupt` when SQLite finds the file out of order, or the key is missing that remembered ids go by.
    package func checkFile() throws {
        let findings = try Statement(database, "PRAGMA integrity_check(1)")
        guard try findings.step(), findings.text(0) == "ok" else { throw damaged(findings.text(0)) }
        try HashKeyEntry(database: database).requireForIDs()
    }

    func tasks(of stage: StageName) -> [StoredTask] { tasks.filter { $0.id.stage == stage } }

    func task(numbered number: Int64) throws -> TaskID {
        guard let task = tasksByNumber[number] else { throw damaged("a row names the unknown task \(number)") }
        return task
    }

    /// What the deltas that are not compacted yet say of a task's table, or of some keys of it.
    func overlay(of group: RecordGroup, _ table: StoredTable, where isWanted: (ByteView) -> Bool = { _ in true }) throws -> DeltaOverlay {
        let log = DeltaLog(database)
        let deltas = try waiting ?? WaitingDeltas(log)
        waiting = deltas
        let overlay = DeltaOverlay()
        try log.forEachChanges(of: deltas.rows(of: group)) { delta in
            guard overlay.add(delta, where: isWanted) else { throw damaged("a delta of table \(table.fullName) can't be read") }
        }
        overlay.finish()
        return overlay
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
}
