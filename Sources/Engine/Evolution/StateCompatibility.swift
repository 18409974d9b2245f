/// A state table as a store holds it.
package struct StoredStateTable: Sendable, Hashable {
    /// What a stored table is for. The raw values are stored.
    package enum Role: String, Sendable {
        /// What the last version of the job reads and writes.
        case current
        /// The same records as an earlier version reads them: written beside until `tidemark finalize`.
        case fallback
        /// Of a table that the last version of the job does not have: kept as it was, until it is dropped by name.
        case removed
    }

    package var stage: StageName
    package var schema: StateSchema
    package var role: Role
    /// The version of the job that made it.
    package var since: Int
    /// The version of the job that has no such table any more; of a removed one alone.
    package var removedIn: Int?

    package init(stage: StageName, schema: StateSchema, role: Role, since: Int, removedIn: Int? = nil) {
        self.stage = stage
        self.schema = schema
        self.role = role
        self.since = since
        self.removedIn = removedIn
    }
}

/// What a store says about versions.
package struct StoredStateVersions: Sendable {
    /// The version of the job that wrote last.
    package var jobVersion: Int
    /// The least version of the job that may go on from it.
    package var leastReader: Int
    package var tables: [StoredStateTable]

    package init(jobVersion: Int, leastReader: Int, tables: [StoredStateTable]) {
        self.jobVersion = jobVersion
        self.leastReader = leastReader
        self.tables = tables
    }
}

/// The state tables that a version of a job declares.
package struct DeclaredStateTables: Sendable {
    package var jobVersion: Int
    package var tables: [(stage: StageName, declaration: StateDeclaration)]

    package init(jobVersion: Int, tables: [(stage: StageName, declaration: StateDeclaration)]) {
        self.jobVersion = jobVersion
        self.tables = tables
    }

    package init(_ topology: Topology) {
        jobVersion = topology.version
        tables = topology.stages.flatMap { stage in stage.blueprint.declarations.map { (stage.name, $0) } }
    }
}

/// What a start of one version of a job would do with stored state, table by table; nothing is done yet.
package struct StateCompatibility: Sendable {
    /// What becomes of a table.
    package enum Action: String, Sendable {
        /// It is as declared.
        case keep
        /// Its records become those of the declared version.
        case migrate
        /// It goes on from the copy, or the removed table, that was kept for this version; what newer ones had is discarded.
        case goBack = "go back"
        case startEmpty = "start empty"
        /// It is not declared, and stays as it is.
        case ignore
        /// A newer version began it, and this one does not have it: it goes.
        case discard
        /// It is not declared, and was named to be dropped.
        case drop
        case refuse
    }

    package struct Table: Sendable {
        package let stage: StageName
        package let name: String
        package let action: Action
        /// Why, or what changes; of a refusal also what to do.
        package let detail: String
    }

    /// Why this version of the job may not read the state at all; nil when it may.
    package let refusal: String?
    /// In order of stages and names; empty when `refusal` says all.
    package let tables: [Table]
    /// The least version of the job that may go on after the start.
    package let leastReader: Int
    /// True when an earlier version may still go on after the start: until `tidemark finalize`.
    package let isFinalizePending: Bool

    /// Everything that a start would be refused for.
    package var refusals: [String] {
        (refusal.map { [$0] } ?? [])
            + tables.filter { $0.action == .refuse }.map { "state table \($0.name) of stage \($0.stage): \($0.detail)" }
    }
}
