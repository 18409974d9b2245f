/// A state table as a store holds it.
public struct StoredStateTable: Sendable, Hashable {
    /// What a stored table is for. The raw values are stored.
    public enum Role: String, Sendable {
        /// What the last version of the job reads and writes.
        case current
        /// The same records as an earlier version reads them: written beside until `tidemark finalize`.
        case fallback
        /// Of a table that the last version of the job does not have: kept as it was, until it is dropped by name.
        case removed
    }

    public var stage: StageName
    public var schema: StateSchema
    public var role: Role
    /// The version of the job that made it.
    public var since: Int
    /// The version of the job that has no such table any more; of a removed one alone.
    public var removedIn: Int?

    public init(stage: StageName, schema: StateSchema, role: Role, since: Int, removedIn: Int? = nil) {
        self.stage = stage
        self.schema = schema
        self.role = role
        self.since = since
        self.removedIn = removedIn
    }
}

/// What a store says about versions.
public struct StoredStateVersions: Sendable {
    /// The version of the job that wrote last.
    public var jobVersion: Int
    /// The least version of the job that may go on from it.
    public var leastReader: Int
    public var tables: [StoredStateTable]

    public init(jobVersion: Int, leastReader: Int, tables: [StoredStateTable]) {
        self.jobVersion = jobVersion
        self.leastReader = leastReader
        self.tables = tables
    }
}

/// The state tables that a version of a job declares.
public struct DeclaredStateTables: Sendable {
    public var jobVersion: Int
    public var tables: [(stage: StageName, declaration: StateDeclaration)]

    public init(jobVersion: Int, tables: [(stage: StageName, declaration: StateDeclaration)]) {
        self.jobVersion = jobVersion
        self.tables = tables
    }

    public init(_ topology: Topology) {
        jobVersion = topology.version
        tables = topology.stages.flatMap { stage in stage.blueprint.declarations.map { (stage.name, $0) } }
    }
}

/// What a start of one version of a job would do with stored state, table by table; nothing is done yet.
public struct StateCompatibility: Sendable {
    /// What becomes of a table.
    public enum Action: String, Sendable {
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

    public struct Table: Sendable {
        public let stage: StageName
        public let name: String
        public let action: Action
        /// Why, or what changes; of a refusal also what to do.
        public let detail: String
    }

    /// Why this version of the job may not read the state at all; nil when it may.
    public let refusal: String?
    /// In order of stages and names; empty when `refusal` says all.
    public let tables: [Table]
    /// The least version of the job that may go on after the start.
    public let leastReader: Int
    /// True when an earlier version may still go on after the start: until `tidemark finalize`.
    public let isFinalizePending: Bool

    /// Everything that a start would be refused for.
    public var refusals: [String] {
        (refusal.map { [$0] } ?? [])
            + tables.filter { $0.action == .refuse }.map { "state table \($0.name) of stage \($0.stage): \($0.detail)" }
    }
}
