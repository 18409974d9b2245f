import Engine

/// The versions that a state file is of, between two epochs.
struct VersionsAtRest: Equatable {
    /// The entry of `meta` that says that nobody is to go on from a checkpoint of before: `finalize` or a repartition was there,
    /// and no checkpoint was published since.
    static let supersedingEntry = "supersedes"

    private let format: Int64
    /// nil where the file does not say: a new one, or one of format 1.
    private let jobVersion: Int?
    private let leastReader: Int?
    /// True when a checkpoint of the file's last epoch may be what the file is.
    private let mayBeSaved: Bool

    /// nil for a file that is not made yet.
    init?(_ store: SQLiteStateStore) throws {
        guard try MetaTable.exists(in: store.database) else { return nil }
        format = try StateFormat.version(of: store.database)
        jobVersion = try store.number("job_version")
        leastReader = try store.number("min_reader")
        mayBeSaved = try (store.number(Compactor.keptAfter) ?? 0) <= (store.number("epoch") ?? 0)
    }

    /// What was done to the file since it was of these versions. Where that is in no epoch's delta, the file says from now
    /// on that the next checkpoint has to be a base; and where it keeps a version out for good, that it supersedes those of
    /// before. Must run inside the transaction that did it.
    func change(in store: SQLiteStateStore) throws -> ChangeAtRest {
        let change = try plainChange(in: store)
        return try store.meta.value(VersionsAtRest.supersedingEntry) == nil ? change : .supersedes
    }

    private func plainChange(in store: SQLiteStateStore) throws -> ChangeAtRest {
        guard let now = try VersionsAtRest(store), now != self || !mayBeSaved else { return .none }
        if now.mayBeSaved { try store.endDeltaChain() }
        // An upgrade may keep more versions out than before, too, but nobody has said that they are to be.
        let isMadeFinal = leastReader != nil && now.leastReader != leastReader && now.leastReader == now.jobVersion
        if isMadeFinal { try store.meta.set(VersionsAtRest.supersedingEntry, "1") }
        return .changed
    }
}

extension SQLiteStateStore {
    /// What happens between two epochs is in no epoch's delta: the next checkpoint has to be a base. One of the present
    /// epoch may have been taken before this, so a delta can't continue that either.
    func endDeltaChain() throws {
        guard let epoch = try number("epoch") else {
            throw StateError(.corrupt, "the state file \(database.path) lacks its epoch; \(StateError.wayOut)")
        }
        try meta.set(Compactor.keptAfter, String(epoch + 1))
    }
}
