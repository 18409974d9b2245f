import Engine

extension SQLiteStateStore {
    /// What `finalize` did.
    public struct FinalizedState: Sendable {
        /// The state may be read from this version of the job on.
        public let jobVersion: Int
        /// Tables whose copies for the version before were dropped, as `stage/name`.
        public let copies: [String]
        /// Removed tables that were dropped, as `stage/name`.
        public let dropped: [String]
        /// Removed tables that are still kept, as `stage/name`.
        public let kept: [String]
    }

    /// Ends the time in which the version of the job before this one may go on from the state: drops what was written for
    /// it, and the removed tables that the settings name. In one transaction; again, it finds nothing to do. The store must
    /// not be opened meanwhile. Throws kind `missing` without state, `incompatible` when this version did not write last.
    public func finalize(_ topology: Topology) throws -> FinalizedState {
        try exclusively {
            guard try integer("SELECT count(*) FROM sqlite_schema") > 0 else {
                throw StateError(.missing, "there is no state in \(database.path) yet; run the job first, or see to state.directory")
            }
            let done = try database.transaction {
                let before = try VersionsAtRest(self)
                _ = try prepareFile(job: topology.job)
                let done = try finalize(topology, try StateCatalog(database))
                _ = try before?.change(in: self)
                return done
            }
            try database.checkpointLog()
            return done
        }
    }

    private func finalize(_ topology: Topology, _ catalog: StateCatalog) throws -> FinalizedState {
        let last = try number("job_version") ?? topology.version
        guard last == topology.version else {
            let what =
                last < topology.version
                ? "version \(topology.version) has not run on it yet: start it, and finalize when nobody will go back"
                : "finalize it with that version"
            throw StateError(.incompatible, "version \(last) of the job wrote the state in \(database.path) last; \(what)")
        }
        try catalog.declareOutputs(of: topology)
        let compatibility = try compatibility(of: topology, catalog, dropping: settings.droppedTables)
        guard compatibility.refusals.isEmpty else {
            throw StateError(
                .incompatible, "the state in \(database.path) is not this version's: \(compatibility.refusals.joined(separator: "; "))")
        }
        let evolution = TableEvolution(store: self, catalog: catalog, jobVersion: topology.version, keepsEarlier: false)
        let copies = catalog.stored.filter { $0.stored.role == .fallback }.map(\.path)
        try evolution.dropFallbacks()
        let dropped = compatibility.tables.filter { $0.action == .drop }.map { "\($0.stage)/\($0.name)" }
        for row in catalog.stored where row.stored.role == .removed && dropped.contains(row.path) { try evolution.drop(row) }
        let kept = catalog.stored.filter { $0.stored.role == .removed && !dropped.contains($0.path) }.map(\.path)
        try meta.set("min_reader", String(topology.version))
        return FinalizedState(jobVersion: topology.version, copies: copies, dropped: dropped, kept: kept)
    }
}

extension CatalogTable {
    /// As people name it.
    fileprivate var path: String { "\(stored.stage)/\(schema.table)" }

    /// True for its name, with or without its stage.
    func isCalled(_ name: String) -> Bool { name == path || name == schema.table }
}
