import Engine
import Synchronization

/// A worker's durable state in one SQLite file: one transaction an epoch with changed state, offsets, watermarks,
/// batches between tasks, outbox rows and sink batches.
///
/// `@unchecked Sendable`: every use of the connection and of the mutable members happens inside `exclusively`.
public final class SQLiteStateStore: StateStore, @unchecked Sendable {
    /// Sizes and times; the defaults suit a worker of a few hundred MiB of state.
    public struct Settings: Sendable {
        /// Deltas are compacted into the keyed rows when they pass this many bytes, each counted as 128 more than it has.
        public var compactionBytes = 64 << 20
        /// One step of compaction takes at most about this many changes.
        public var compactionStep = 20_000
        /// Compacted deltas that the next checkpoint is to take are kept up to this many bytes; beyond that they are dropped,
        /// and the next checkpoint has to be a base.
        public var keepBytes = 256 << 20
        /// The write-ahead log is moved into the file at this many pages.
        public var logPages = 4096
        /// For how long delivered batches and epochs' offsets are kept, in milliseconds.
        public var ledgerKeepMilliseconds: Int64 = 7 * 86_400_000
        /// State tables that the job does not have any more, to be dropped when the file is opened: as `name` or `stage/name`.
        public var droppedTables: [String] = []
        /// Says how much room there is for a migration.
        package var gauge: any RoomGauge = DiskRoom()

        public init() {}
    }

    let database: Database
    let meta: MetaTable
    let settings: Settings
    let directory: StateDirectory
    private let lock = Mutex(())
    private var opened: Opened?
    /// Whether the start has looked at the newest records.
    var notesInputLook = false

    /// What exists once the job is known.
    final class Opened {
        let catalog: StateCatalog
        let tables: StateTables
        var watermarks: [TaskID: EventTime] = [:]
        /// The outbox's row of each chunk.
        var chunkRows: [ChunkID: Int64] = [:]
        /// The message's row of each batch between tasks.
        var messageRows: [MessageBatchID: Int64] = [:]
        /// The chunks of each undelivered batch.
        var batchChunks: [SinkBatchID: [ChunkID]] = [:]
        let compactor: Compactor
        var commitsSincePrune = 0

        init(_ database: Database, _ catalog: StateCatalog, _ settings: Settings) throws {
            self.catalog = catalog
            tables = StateTables(database)
            compactor = try Compactor(database, settings)
        }
    }

    var base: BaseExport?
    var deltaExport: DeltaExport?

    /// Locks the directory and opens, or makes, its state file.
    public convenience init(directory path: String, settings: Settings = Settings()) throws {
        try self.init(StateDirectory(path: path), settings: settings)
    }

    /// Opens, or makes, the state file of a directory that this process has locked.
    package init(_ directory: StateDirectory, settings: Settings = Settings()) throws {
        self.directory = directory
        try directory.removeExports()
        database = try Database(path: directory.stateFile)
        meta = MetaTable(database)
        self.settings = settings
        if try database.integer("PRAGMA application_id") == Database.applicationID { try StateFormat.requireShape(of: database) }
    }

    /// The one way to the connection.
    func exclusively<Result>(_ body: () throws -> Result) rethrows -> Result {
        try lock.withLock { _ in try body() }
    }

    func ready() throws -> Opened {
        guard let opened else { throw StateError(.bug, "the state store was used before it was opened") }
        return opened
    }

    package func open(_ topology: Topology) throws -> RestoredState {
        try exclusively {
            database.boundContent()
            var changing = Duration.zero
            let (isNew, catalog, changes, changeAtRest) = try database.transaction {
                let before = try VersionsAtRest(self)
                let formatBefore = try StateFormat.version(of: database)
                let isNew = try prepareFile(job: topology.job)
                try keepSettings(of: topology)
                let catalog = try StateCatalog(database)
                let start = ContinuousClock.now
                let changes = try raisedFormat(from: formatBefore, isNew: isNew) + declare(topology, catalog)
                changing = ContinuousClock.now - start
                try PlacementEntries(database: database).note(topology)
                return (isNew, catalog, changes, try before?.change(in: self) ?? .none)
            }
            if !changes.isEmpty {
                let start = ContinuousClock.now
                try emptyLog()
                changing += ContinuousClock.now - start
            }
            let opened = try Opened(database, catalog, settings)
            self.opened = opened
            var restored = try restoredState(isNew: isNew, opened)
            restored.changes = changes
            restored.changesTook = changes.isEmpty ? nil : changing
            restored.changeAtRest = changeAtRest
            database.trustContent()
            return restored
        }
    }

    /// What a start says that brought the file to this version's format; nothing for a new file.
    private func raisedFormat(from before: Int64, isNew: Bool) -> [String] {
        guard before != 0, before != StateFormat.version, !isNew else { return [] }
        return [
            "the state file \(database.path) was of format \(before) and is of format \(StateFormat.version) now, which earlier versions of Tidemark don't read: the way back to one of them is the last checkpoint from before this start, made the newest by `checkpoint rewind` (docs/OPERATIONS.md, Going back a version)"
        ]
    }

    /// Makes the tables of a new file, or checks that an old one is ours and brings its format up to date; true when no
    /// epoch was ever committed to it. Must run inside a transaction.
    func prepareFile(job: String) throws -> Bool {
        let version = try StateFormat.version(of: database)
        let application = try integer("PRAGMA application_id")
        if version == 0 && application == 0 {
            guard try integer("SELECT count(*) FROM sqlite_schema") == 0 else {
                throw StateError(
                    .invalid, "\(database.path) is another program's database; set state.directory to a directory of Tidemark's own")
            }
            try database.execute(StateFormat.create)
            try database.execute("PRAGMA user_version = \(StateFormat.version)")
            try database.execute("PRAGMA application_id = \(Database.applicationID)")
            try meta.set("job", job)
            try meta.set("lineage", String(Lineage.first.number))
            try meta.set("epoch", "0")
            try meta.set(Compactor.keptAfter, "0")
            try meta.set("identity", String(UInt64.random(in: .min ... .max), radix: 16))
            try HashKeyEntry(database: database).make()
            return true
        }
        guard application == Database.applicationID else {
            throw StateError(
                .invalid, "\(database.path) is another program's database; set state.directory to a directory of Tidemark's own")
        }
        guard version == StateFormat.version || StateFormat.upgradable.contains(version) else {
            throw StateError(
                .incompatible,
                "\(database.path) has format \(version), this version of Tidemark reads up to \(StateFormat.version); start the version that wrote it"
            )
        }
        let owner = try meta.required("job")
        guard owner == job else {
            throw StateError(
                .invalid, "the state in \(database.path) belongs to job \(owner), not to \(job); set job.id or state.directory")
        }
        try upgradeFile()
        try HashKeyEntry(database: database).make()
        // A state restored from a checkpoint of epoch 0 is none that nobody knows of.
        return try meta.required("epoch") == "0" && meta.required("lineage") == String(Lineage.first.number)
    }

    /// Brings a file of an older format to this version.
    private func upgradeFile() throws {
        let format = try StateFormat.version(of: database)
        guard format != StateFormat.version else { return }
        if format < 2 { try database.execute(StateFormat.upgradeOfFormat1) }
        if format < 3 {
            // Early builds let a batch be resolved before one with a smaller number; nothing else leaves such a hole.
            try LineageStart(database).refuseHoles()
            try database.execute(StateFormat.upgradeOfFormat2)
        }
        // A delta continues a state of its own format alone, and what an earlier version compacted it has dropped: the next checkpoint
        // is a base, also where one of the present epoch is there.
        try endDeltaChain()
        try database.execute("PRAGMA user_version = \(StateFormat.version)")
    }

    /// Moves the log of a migration into the file at once, unless the disk is full: then `maintain` does it, as with any log.
    private func emptyLog() throws {
        do {
            try database.checkpointLog()
        } catch let error as StateError where error.fullDisk != nil {}
    }

    func integer(_ sql: String) throws -> Int64 { try database.integer(sql) }

    /// Remembers the settings that the state is built on; refuses others than those remembered. Must run inside a transaction.
    func keepSettings(of topology: Topology) throws {
        let isBegun = try number("job_version") != nil
        for (name, value) in topology.fixedSettings.sorted(by: { $0.key < $1.key }) {
            let entry = FixedSettings.prefix + name
            let stored = try meta.value(entry)
            guard let known = stored ?? (isBegun ? topology.settingsOfEarlierStates[name] : nil) else {
                try meta.set(entry, value)
                continue
            }
            guard known == value else {
                throw StateError(
                    .invalid,
                    "the state in \(database.path) was built with \(name): \(known), and \(value) is set now, with which what is in it would no longer fit what comes. Set \(known) again, or start the job anew with an empty state directory, another checkpoints.store and new tables"
                )
            }
            if stored == nil { try meta.set(entry, value) }
        }
    }

    /// The settings that the state is built on, by name; nil where there is no state of Tidemark's yet.
    package func fixedSettings() throws -> [String: String]? {
        try exclusively {
            guard try integer("PRAGMA application_id") == Database.applicationID else { return nil }
            return try FixedSettings.all(in: database)
        }
    }

    package func register(partitions: [String: Int]) throws {
        try exclusively {
            try database.transaction {
                for (name, count) in partitions { try PartitionTable(database: database).add(name, count) }
            }
        }
    }

    // MARK: - Reading evicted records

    public func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) throws {
        try exclusively {
            let opened = try ready()
            if let group = group(task, table, opened) { try opened.tables.keyed.read(key, in: group, body) }
        }
    }

    public func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) throws {
        try exclusively {
            let opened = try ready()
            guard let group = group(task, table, opened) else { return }
            try opened.tables.keyed.forEach(in: group, from: prefix) { key, record in
                guard key.prefix(prefix.count) == prefix else { return false }
                body(key, record)
                return true
            }
        }
    }

    func group(_ task: TaskID, _ table: String, _ opened: Opened) -> RecordGroup? {
        guard let taskID = opened.catalog.tasks[task], let known = opened.catalog.stateTables[task.stage]?[table] else { return nil }
        return RecordGroup(task: taskID, table: known.id)
    }
}
