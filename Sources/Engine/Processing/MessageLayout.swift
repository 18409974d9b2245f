/// How the payloads of the messages to a stage are laid out: a version and, where the job says them, the fields.
///
/// Messages wait in the state over a restart. Those of another version of the job are read by their fields' names, as the
/// evolution says; where only the job's code knows the fields, no other version's can be read, and the start is refused while
/// such messages wait.
///
/// ```swift
/// setup.messages(to: "by-page", layout: MessageLayout(version: 2, of: PageTotal.self, evolution: .from(1).adding("robots")))
/// ```
public struct MessageLayout: Sendable {
    /// Counted up by the job's author whenever the payload changes.
    public let version: Int
    /// nil when only the job's code knows the fields.
    let declaration: StateDeclaration?
    /// What `KeyedEvent` says leads each payload.
    var isForwarded = false

    /// Of payloads that only the job's code can read.
    public init(version: Int) {
        self.version = version
        declaration = nil
    }

    /// Of payloads that are these fields one after the other. A field that evolution adds is empty in earlier messages.
    package init(version: Int, fields: [StateField], evolution: StateEvolution = .none) {
        self.version = version
        declaration = StateDeclaration(schema: MessageLayout.schema(version, fields), evolution: evolution)
    }

    /// Of payloads that are encoded records.
    public init<Record: StateRecord>(version: Int, of record: Record.Type, evolution: StateEvolution = .none) {
        self.version = version
        declaration = StateDeclaration(table: MessageLayout.table, version: version, key: .key, evolution: evolution, record: record)
    }

    private static let table = "messages"

    private static func schema(_ version: Int, _ fields: [StateField]) -> StateSchema {
        StateSchema(table: table, version: version, key: .key, hasTimer: false, fields: fields)
    }

    /// The fields in their order; nil when only the job's code knows them.
    package var fields: [StateField]? { declaration?.schema.fields }

    func isAlike(_ other: MessageLayout) -> Bool { stored(of: "", since: 0) == other.stored(of: "", since: 0) }

    /// As a state keeps it.
    package func stored(of stage: StageName, since jobVersion: Int) -> StoredMessageLayout {
        StoredMessageLayout(stage: stage, version: version, jobVersion: jobVersion, isForwarded: isForwarded, fields: fields)
    }

    /// How messages of a stored layout are read in this one. Throws, saying why, when they can't be.
    package func reading(_ stored: StoredMessageLayout) throws(EvolutionRefusal) -> MessageReading {
        guard stored.isForwarded == isForwarded else {
            throw EvolutionRefusal(
                isForwarded ? "they are no forwarded events, and are to be some now" : "they are forwarded events, and are to be none now")
        }
        guard let declaration, let found = stored.fields else {
            if stored.version == version, stored.fields == fields { return .asTheyAre }
            throw EvolutionRefusal(
                "they are of version \(stored.version), this version of the job reads version \(version), and the fields are known to the job's code alone"
            )
        }
        if stored.version == version, found == declaration.schema.fields { return .asTheyAre }
        if version > stored.version {
            return .mapped(
                try StateMigration(from: MessageLayout.schema(stored.version, found), to: declaration).forth, isForwarded: isForwarded)
        }
        return .mapped(try byNames(found, stored.version), isForwarded: isForwarded)
    }

    /// What this version knows of messages of the same version or a later one: fields of the same name and type. One that is not
    /// there may have another name by now, so nothing stands in for it.
    private func byNames(_ found: [StateField], _ foundVersion: Int) throws(EvolutionRefusal) -> RecordMapping {
        let wanted = fields ?? []
        var sources: [RecordMapping.Source] = []
        for field in wanted {
            guard let index = found.firstIndex(of: field) else {
                throw EvolutionRefusal("they are of version \(foundVersion) and have no field \(field.name) of type \(field.type.rawValue)")
            }
            sources.append(.field(index, []))
        }
        if foundVersion == version, found.count != wanted.count {
            throw EvolutionRefusal(
                "they are of version \(version) and have other fields than this job's version \(version): raise the version and declare what changed"
            )
        }
        return RecordMapping(from: MessageLayout.schema(foundVersion, found), to: MessageLayout.schema(version, wanted), sources: sources)
    }
}

/// The layout of the messages to a stage, as a state keeps it beside those that wait.
package struct StoredMessageLayout: Hashable, Sendable {
    package let stage: StageName
    package let version: Int
    /// The first version of the job that declared it.
    package let jobVersion: Int
    package let isForwarded: Bool
    /// nil when only the job's code knows them.
    package let fields: [StateField]?

    package init(stage: StageName, version: Int, jobVersion: Int, isForwarded: Bool, fields: [StateField]?) {
        self.stage = stage
        self.version = version
        self.jobVersion = jobVersion
        self.isForwarded = isForwarded
        self.fields = fields
    }
}
