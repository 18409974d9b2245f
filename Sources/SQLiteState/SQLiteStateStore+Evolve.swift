import Engine

extension SQLiteStateStore {
    /// Makes the file's tables those that the job declares, or throws why it may not. Must run inside a transaction, so
    /// that a process that dies here leaves the state as it was. Returns what changed, for people.
    func declare(_ topology: Topology, _ catalog: StateCatalog) throws -> [String] {
        // A start may be repeated with the same --drop: what is gone already is no reason to stop.
        let compatibility = try compatibility(
            of: topology, catalog, dropping: settings.droppedTables.filter { name in catalog.stored.contains { $0.isCalled(name) } })
        guard compatibility.refusals.isEmpty else {
            throw StateError(
                .incompatible,
                "this version of the job can't go on from the state in \(database.path): \(compatibility.refusals.joined(separator: "; "))")
        }
        try catalog.declareOutputs(of: topology)
        // Found out after minutes, it would have been in vain, and would be again.
        try MigrationEstimate(database, compatibility)?.requireRoom(in: directory.path, settings.gauge, reusable: directory.logBytes)
        let declared = Dictionary(
            uniqueKeysWithValues: DeclaredStateTables(topology).tables.map {
                (StateTableName($0.stage, $0.declaration.schema.table), $0.declaration)
            })
        let evolution = TableEvolution(
            store: self, catalog: catalog, jobVersion: topology.version, keepsEarlier: compatibility.isFinalizePending)
        var changes: [String] = []
        if compatibility.leastReader > (try leastReader(of: topology)) { try evolution.dropFallbacks() }
        for table in compatibility.tables {
            let name = StateTableName(table.stage, table.name)
            let count = try evolution.perform(table.action, on: name, as: declared[name])
            guard ![.keep, .ignore].contains(table.action), try meta.required("epoch") != "0" else { continue }
            changes.append(
                "state table \(table.name) of stage \(table.stage): \(table.action.rawValue), \(table.detail)\(count.map { " (\($0) records)" } ?? "")"
            )
        }
        if let before = try number("job_version"), before < topology.version, compatibility.isFinalizePending,
            try meta.required("epoch") != "0"
        {
            changes.append(
                "version \(topology.version) of the job goes on from the state of version \(before), which may still come back until `tidemark finalize`"
            )
        }
        let look = InputLookEntry(database: database)
        try look.forgetIfOutdated()
        try meta.set("job_version", String(topology.version))
        if notesInputLook { try look.note(topology.version) }
        try meta.set("min_reader", String(compatibility.leastReader))
        try catalog.readStateTables()
        try writeFallbacks(declared, catalog)
        return changes
    }

    /// What a start of this job would do with the state tables.
    func compatibility(of topology: Topology, _ catalog: StateCatalog, dropping: [String]) throws -> StateCompatibility {
        StateCompatibility.compare(
            stored: StoredStateVersions(
                jobVersion: try number("job_version") ?? topology.version, leastReader: try leastReader(of: topology),
                tables: catalog.stored.map(\.stored)
            ),
            declared: DeclaredStateTables(topology), dropping: dropping
        )
    }

    /// What migrating the state to what this job declares takes; nil when a start would migrate nothing, or be refused.
    package func migration(to topology: Topology) throws -> MigrationEstimate? {
        try exclusively {
            guard try VersionsAtRest(self) != nil, try StateFormat.version(of: database) <= StateFormat.version else { return nil }
            let compatibility = try compatibility(of: topology, StateCatalog(database), dropping: settings.droppedTables)
            return compatibility.refusals.isEmpty ? try MigrationEstimate(database, compatibility) : nil
        }
    }

    /// The version of the job of which a start looked at the newest records before it went on from the state; nil when none did, no
    /// epoch was committed, or an earlier version has written since.
    package func inputLookedAtBy() throws -> Int? {
        try exclusively { try versionOfInputLook() }
    }

    func versionOfInputLook() throws -> Int? {
        try VersionsAtRest(self) == nil ? nil : InputLookEntry(database: database).version()
    }

    /// Has `open` remember that this start has looked at the newest records; to be called before.
    package func noteInputLook() { exclusively { notesInputLook = true } }

    private func leastReader(of topology: Topology) throws -> Int { try number("min_reader") ?? topology.version }

    /// An entry that a new file does not have yet.
    func number(_ name: String) throws -> Int? {
        try meta.number(name, StoredBounds.counter).map { Int($0) }
    }

    /// Says what is written beside each table until `tidemark finalize`.
    private func writeFallbacks(_ declared: [StateTableName: StateDeclaration], _ catalog: StateCatalog) throws {
        for fallback in catalog.stored where fallback.stored.role == .fallback {
            let name = StateTableName(fallback.stored.stage, fallback.schema.table)
            guard let table = catalog.stateTables[name.stage]?[name.table], let declaration = declared[name] else { continue }
            do {
                catalog.write(
                    Fallback(id: fallback.id, mapping: try StateMigration(from: fallback.schema, to: declaration).back), beside: table)
            } catch {
                throw StateError(
                    .incompatible,
                    "state table \(name.table) of stage \(name.stage) is also written in version \(fallback.schema.version), for the version of the job before this one, but \(error); declare it, or run `tidemark finalize` when nobody will go back",
                    cause: error)
            }
        }
    }
}

/// A state table's name in its stage.
struct StateTableName: Hashable {
    let stage: StageName
    let table: String

    init(_ stage: StageName, _ table: String) {
        self.stage = stage
        self.table = table
    }
}
