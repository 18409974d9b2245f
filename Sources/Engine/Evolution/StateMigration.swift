/// What a declared evolution makes of one stored schema: how its records become those of the declared one, and back.
package struct StateMigration: Sendable {
    package let forth: RecordMapping
    /// For the copy that an earlier version of the job can go on from.
    package let back: RecordMapping
    /// Fields of the stored schema that `back` can't compute: they keep what the earlier record holds.
    package let carried: [String]

    /// A field on its way through the changes.
    private struct Passing {
        var name: String
        /// nil: whatever the declared field has, because it starts as what `init()` gives.
        var type: StateFieldType?
        var origin: Origin
        var conversions: [FieldConversion] = []

        enum Origin {
            case stored(Int)
            case constant([UInt8])
            case initial
        }
    }

    /// Throws, saying what has to be declared, when the evolution does not lead from `stored` to the declared schema.
    package init(from stored: StateSchema, to declared: StateDeclaration) throws(EvolutionRefusal) {
        try StateMigration.refuseOtherShape(stored, declared.schema)
        let changes = try StateMigration.changes(from: stored, declared)
        var passing = stored.fields.enumerated().map { Passing(name: $1.name, type: $1.type, origin: .stored($0)) }
        var left: [Int: [UInt8]] = [:]
        for change in changes { try StateMigration.apply(change, to: &passing, left: &left) }
        forth = RecordMapping(from: stored, to: declared.schema, sources: try StateMigration.sources(passing, declared))
        let (sources, carried) = StateMigration.sourcesBack(passing, left, stored, declared.schema)
        back = RecordMapping(from: declared.schema, to: stored, sources: sources)
        self.carried = carried
    }

    /// What no evolution changes.
    static func refuseOtherShape(_ stored: StateSchema, _ declared: StateSchema) throws(EvolutionRefusal) {
        guard stored.key == declared.key else {
            throw EvolutionRefusal(
                "its keys were \(stored.key.words) and would be \(declared.key.words): records can't be brought under other keys. Give the table another name; it begins empty, and the old one is kept until --drop"
            )
        }
        guard stored.hasTimer == declared.hasTimer else {
            throw EvolutionRefusal(
                "its records \(stored.hasTimer ? "have" : "had no") timers\(stored.hasTimer ? " and would have none" : " and would have some"): give the table another name; it begins empty, and the old one is kept until --drop"
            )
        }
        if let old = stored.span, let new = declared.span, old != new {
            throw EvolutionRefusal(
                "its windows are \(old.milliseconds) ms long and would be \(new.milliseconds) ms: what is open can't be cut anew. Give the table another name; it begins empty, and the old one is kept until --drop"
            )
        }
    }

    private static func changes(from stored: StateSchema, _ declared: StateDeclaration) throws(EvolutionRefusal) -> [StateEvolution.Change]
    {
        let steps = declared.evolution.steps
        guard let first = steps.firstIndex(where: { $0.version == stored.version }) else {
            let known =
                steps.isEmpty ? "declares no evolution" : "goes on from version \(steps.map { String($0.version) }.joined(separator: ", "))"
            throw EvolutionRefusal(
                "it is stored in version \(stored.version), and this job's version \(declared.schema.version) \(known): declare .from(\(stored.version)) with what changed, or start a version of the job that goes on from it"
            )
        }
        return steps[first...].flatMap(\.changes)
    }

    private static func apply(_ change: StateEvolution.Change, to passing: inout [Passing], left: inout [Int: [UInt8]])
        throws(EvolutionRefusal)
    {
        func place(of name: String, _ verb: String) throws(EvolutionRefusal) -> Int {
            if let found = passing.firstIndex(where: { $0.name == name }) { return found }
            throw EvolutionRefusal("there is no field '\(name)' to be \(verb); there are \(passing.map(\.name).joined(separator: ", "))")
        }
        func refuseTaken(_ name: String) throws(EvolutionRefusal) {
            if passing.contains(where: { $0.name == name }) { throw EvolutionRefusal("a field '\(name)' is there already") }
        }
        switch change {
        case .added(let name, let initial):
            try refuseTaken(name)
            passing.append(Passing(name: name, type: initial?.type, origin: initial.map { .constant($0.bytes) } ?? .initial))
        case .dropped(let name, let value):
            let found = try place(of: name, "dropped")
            if case .stored(let index) = passing[found].origin, let value, passing[found].conversions.isEmpty {
                guard value.type == passing[found].type else {
                    throw EvolutionRefusal("what dropping '\(name)' leaves is of type \(value.type.rawValue), the field of another")
                }
                left[index] = value.bytes
            }
            passing.remove(at: found)
        case .renamed(let name, let new):
            let found = try place(of: name, "renamed")
            try refuseTaken(new)
            passing[found].name = new
        case .widened(let name, let type):
            let found = try place(of: name, "widened")
            guard let from = passing[found].type, let conversion = FieldConversion(widening: from, to: type) else {
                throw EvolutionRefusal(
                    "field '\(name)' (\(passing[found].type?.rawValue ?? "of its initial value's type")) can't be widened to \(type.rawValue); declare .converting"
                )
            }
            try convert(&passing[found], conversion)
        case .converted(let name, let conversion):
            let found = try place(of: name, "converted")
            guard passing[found].type == conversion.from else {
                throw EvolutionRefusal(
                    "field '\(name)' is \(passing[found].type?.rawValue ?? "of its initial value's type"), its conversion takes \(conversion.from.rawValue)"
                )
            }
            try convert(&passing[found], conversion)
        }
    }

    private static func convert(_ field: inout Passing, _ conversion: FieldConversion) throws(EvolutionRefusal) {
        field.type = conversion.to
        guard case .constant(let bytes) = field.origin else {
            field.conversions.append(conversion)
            return
        }
        var converted = ByteWriter()
        guard bytes.withUnsafeBytes({ conversion.forth(ByteView($0), &converted) }) else {
            throw EvolutionRefusal("the value that field '\(field.name)' was added with can't be converted")
        }
        field.origin = .constant(converted.copy())
    }

    private static func sources(_ passing: [Passing], _ declared: StateDeclaration) throws(EvolutionRefusal) -> [RecordMapping.Source] {
        let fields = declared.schema.fields
        if let gone = passing.first(where: { field in !fields.contains { $0.name == field.name } }) {
            throw EvolutionRefusal(
                "its field '\(gone.name)' is no longer declared: say .dropping(\"\(gone.name)\"), or .renaming(\"\(gone.name)\", to: …)")
        }
        var sources: [RecordMapping.Source] = []
        for (index, field) in fields.enumerated() {
            guard let found = passing.first(where: { $0.name == field.name }) else {
                throw EvolutionRefusal(
                    "its field '\(field.name)' is not in what is stored: say .adding(\"\(field.name)\"), or .renaming(…, to: \"\(field.name)\")"
                )
            }
            if let type = found.type, type != field.type {
                throw EvolutionRefusal(
                    "its field '\(field.name)' would be \(type.rawValue), and is declared as \(field.type.rawValue): say .widening or .converting"
                )
            }
            switch found.origin {
            case .stored(let place): sources.append(.field(place, found.conversions.map(\.forth)))
            case .constant(let bytes): sources.append(.constant(bytes))
            case .initial: sources.append(.constant(declared.initial[index]))
            }
        }
        return sources
    }

    private static func sourcesBack(
        _ passing: [Passing], _ left: [Int: [UInt8]], _ stored: StateSchema, _ declared: StateSchema
    ) -> (sources: [RecordMapping.Source], carried: [String]) {
        var carried: [String] = []
        let sources = stored.fields.enumerated().map { index, field -> RecordMapping.Source in
            for passed in passing {
                guard case .stored(index) = passed.origin, let place = declared.fields.firstIndex(where: { $0.name == passed.name }) else {
                    continue
                }
                let back = passed.conversions.reversed().compactMap(\.back)
                if back.count == passed.conversions.count { return .field(place, back) }
            }
            carried.append(field.name)
            return .constant(left[index] ?? field.type.emptyEncoding)
        }
        return (sources, carried)
    }
}

/// Why stored records can't become declared ones, and what to declare.
package struct EvolutionRefusal: Error, CustomStringConvertible, Sendable {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension StateKeyKind {
    fileprivate var words: String {
        switch self {
        case .key: "plain keys"
        case .windowAndKey: "windows with keys"
        }
    }
}
