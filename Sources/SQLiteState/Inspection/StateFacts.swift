import Engine

/// What a state file says of itself.
package struct StateFacts: Equatable, Sendable {
    package let job: String
    /// The job's version that last opened the state; 0 when none did yet.
    package let jobVersion: Int
    /// The least version of the job that may go on from it.
    package let leastReader: Int
    /// The format of the file.
    package let format: Int64
    /// What tells this state from others of the job; empty in a file of the first versions.
    package let identity: String
    /// Whether there is a key for stored hashes; which one is nobody's business here.
    package let hasHashKey: Bool
    package let lineage: Lineage
    /// The last epoch committed.
    package let epoch: Epoch
    /// When that was, milliseconds since 1970 UTC by the worker's clock; nil when it is not known.
    package let committedAt: Int64?

    init(_ database: Database) throws {
        guard try database.integer("PRAGMA application_id") == Database.applicationID else {
            throw StateError(.invalid, "\(database.path) is no state file of Tidemark's")
        }
        format = try StateFormat.version(of: database)
        guard (1...StateReader.newestFormat).contains(format) else {
            throw StateError(
                .incompatible,
                "\(database.path) has format \(format), this version of the tool reads 1 to \(StateReader.newestFormat); use a newer one")
        }
        try StateFormat.requireShape(of: database)
        let meta = MetaTable(database)
        guard let job = try meta.value("job"),
            let lineage = try meta.value("lineage").flatMap({ Int64($0) }).flatMap({ Lineage(stored: $0) }),
            let epoch = try meta.value("epoch").flatMap({ Int64($0) }).flatMap({ Epoch(stored: $0) })
        else {
            throw StateError(.corrupt, "the state file \(database.path) is damaged: it does not say its job, lineage and epoch")
        }
        guard PlainName.isPlain(job, upTo: PlainName.longestJob) else {
            throw StateError(.corrupt, "the state file \(database.path) is damaged: \(quotedJSON(job)) is no name of a job")
        }
        func version(_ entry: String) throws -> Int? { try meta.number(entry, StoredBounds.version).map { Int($0) } }
        self.job = job
        jobVersion = try version("job_version") ?? 0
        leastReader = try version("min_reader") ?? jobVersion
        identity = try meta.value("identity") ?? ""
        hasHashKey = try HashKeyEntry(database: database).read() != nil
        self.lineage = lineage
        self.epoch = epoch
        committedAt = try EpochOffsets(database).lastCommittedAt()
    }
}
