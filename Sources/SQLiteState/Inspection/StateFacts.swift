import Engine

/// What a state file says of itself.
public struct StateFacts: Equatable, Sendable {
    public let job: String
    /// The job's version that last opened the state; 0 when none did yet.
    public let jobVersion: Int
    /// The least version of the job that may go on from it.
    public let leastReader: Int
    /// The format of the file.
    public let format: Int64
    /// What tells this state from others of the job; empty in a file of the first versions.
    public let identity: String
    /// Whether there is a key for stored hashes; which one is nobody's business here.
    public let hasHashKey: Bool
    public let lineage: Lineage
    /// The last epoch committed.
    public let epoch: Epoch
    /// When that was, milliseconds since 1970 UTC by the worker's clock; nil when it is not known.
    public let committedAt: Int64?

    init(_ database: Database) throws {
        guard try StateFacts.integer(database, "PRAGMA application_id") == Database.applicationID else {
            throw StateError(.invalid, "\(database.path) is no state file of Tidemark's")
        }
        format = try StateFacts.integer(database, "PRAGMA user_version") ?? 0
        guard (1...StateReader.newestFormat).contains(format) else {
            throw StateError(
                .incompatible,
                "\(database.path) has format \(format), this version of the tool reads 1 to \(StateReader.newestFormat); use a newer one")
        }
        try StateFormat.requireShape(of: database)
        var meta: [String: String] = [:]
        let statement = try Statement(database, "SELECT name, value FROM meta")
        while try statement.step() { meta[statement.text(0)] = statement.text(1) }
        guard let job = meta["job"], let lineage = meta["lineage"].flatMap({ Int64($0) }).flatMap({ Lineage(stored: $0) }),
            let epoch = meta["epoch"].flatMap({ Int64($0) }).flatMap({ Epoch(stored: $0) })
        else {
            throw StateError(.corrupt, "the state file \(database.path) is damaged: it does not say its job, lineage and epoch")
        }
        guard PlainName.isPlain(job, upTo: PlainName.longestJob) else {
            throw StateError(.corrupt, "the state file \(database.path) is damaged: \(quotedJSON(job)) is no name of a job")
        }
        func version(_ entry: String) throws -> Int? {
            try meta[entry].map { Int(try database.number($0, of: entry, StoredBounds.version)) }
        }
        self.job = job
        jobVersion = try version("job_version") ?? 0
        leastReader = try version("min_reader") ?? jobVersion
        identity = meta["identity"] ?? ""
        hasHashKey = try HashKeyEntry(database: database).read() != nil
        self.lineage = lineage
        self.epoch = epoch
        let newest = try Statement(database, "SELECT committed_at FROM epoch_offsets ORDER BY epoch DESC LIMIT 1")
        committedAt = try newest.step() ? try newest.clock(0) : nil
    }

    private static func integer(_ database: Database, _ sql: String) throws -> Int64? {
        let statement = try Statement(database, sql)
        return try statement.step() ? statement.integer(0) : nil
    }
}

/// A task of the state: how far it has read, and its watermark.
public struct StoredTask: Sendable {
    /// What stands for it in the file's rows.
    let number: Int64
    public let id: TaskID
    /// nil before the first record.
    public let watermark: EventTime?
    /// nil for a task that reads no partition, or has read nothing.
    public let position: SourcePosition?
}
