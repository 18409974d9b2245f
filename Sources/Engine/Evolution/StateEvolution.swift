/// How records that an earlier version of a state table stored become those of this one: declared beside the table's
/// version, and kept for as long as state of those versions may be met.
///
/// ```swift
/// static let version = 3
/// static let evolution = StateEvolution
///     .from(1).renaming("count", to: "clicks").adding("robots")
///     .from(2).dropping("pages").widening("clicks", to: .signed)
/// ```
/// Each `from` leads to the version of the next one, the last to the table's own. Changes apply in the order in which
/// they are written, to the names as they are then. Every difference has to be declared: a field that is merely missing
/// or merely there is refused, for it might be a renamed one. Order alone is no difference: fields are found by name.
///
/// Until `tidemark finalize` the state is also written as the earlier version reads it, by the same declaration read
/// backwards.
public struct StateEvolution: Sendable {
    /// State of other versions is refused.
    public static let none = StateEvolution()

    struct Step: Sendable {
        let version: Int
        var changes: [Change] = []
    }

    enum Change: Sendable {
        /// `initial`: what records that are there already get, as stored; nil: what `init()` gives.
        case added(String, initial: (type: StateFieldType, bytes: [UInt8])?)
        /// `left`: what the earlier version finds in records that it did not write, as stored; nil: an empty field.
        case dropped(String, left: (type: StateFieldType, bytes: [UInt8])?)
        case renamed(String, to: String)
        case widened(String, to: StateFieldType)
        case converted(String, FieldConversion)
    }

    private(set) var steps: [Step] = []

    init() {}

    /// Begins what leads on from `version`.
    public static func from(_ version: Int) -> StateEvolution { StateEvolution().from(version) }

    /// Ends what leads to `version`, and begins what leads on from it.
    public func from(_ version: Int) -> StateEvolution {
        precondition(steps.last.map { $0.version < version } ?? true, "an evolution goes through versions in ascending order")
        var longer = self
        longer.steps.append(Step(version: version))
        return longer
    }

    /// A field that is new. Records that are there already get what `init()` gives.
    public func adding(_ field: StaticString) -> StateEvolution {
        with(.added(String(describing: field), initial: nil))
    }

    /// A field that is new. Records that are there already get `value`.
    public func adding<Value: StateFieldValue>(_ field: StaticString, default value: Value) -> StateEvolution {
        with(.added(String(describing: field), initial: (Value.fieldType, value.encodedField)))
    }

    /// A field that is no more. To an earlier version that goes on after all, records have the field's last stored value,
    /// and records that are new to it an empty one.
    public func dropping(_ field: StaticString) -> StateEvolution {
        with(.dropped(String(describing: field), left: nil))
    }

    /// As above; records that are new to an earlier version have `value` there.
    public func dropping<Value: StateFieldValue>(_ field: StaticString, leaving value: Value) -> StateEvolution {
        with(.dropped(String(describing: field), left: (Value.fieldType, value.encodedField)))
    }

    /// A field that goes by another name.
    public func renaming(_ field: StaticString, to name: StaticString) -> StateEvolution {
        with(.renamed(String(describing: field), to: String(describing: name)))
    }

    /// A number that became wider: a flag or a time a number, an unsigned one signed, either of 128 bits. An unsigned
    /// number above `Int64.max` does not become a signed one of 64 bits: the migration stops there, with nothing changed.
    /// On the way back a number that does not fit becomes the nearest one that does.
    public func widening(_ field: StaticString, to type: StateFieldType) -> StateEvolution {
        with(.widened(String(describing: field), to: type))
    }

    /// A field of another type or meaning. `forth` and `back` must be pure; they are called for every record. Without
    /// `back` the earlier version finds what `dropping` says.
    public func converting<Old: StateFieldValue, New: StateFieldValue>(
        _ field: StaticString, _ forth: @escaping @Sendable (Old) -> New, back: (@Sendable (New) -> Old)? = nil
    ) -> StateEvolution {
        with(.converted(String(describing: field), FieldConversion(forth, back: back)))
    }

    private func with(_ change: Change) -> StateEvolution {
        precondition(!steps.isEmpty, "say from(…) which version a change leads on")
        var longer = self
        longer.steps[steps.count - 1].changes.append(change)
        return longer
    }
}

/// A state table as a version of the job declares it.
@usableFromInline package struct StateDeclaration: Sendable {
    package let schema: StateSchema
    /// The fields of an empty record, each as it is stored, in the schema's order.
    let initial: [[UInt8]]
    package let evolution: StateEvolution
    package let placement: StatePlacement

    /// `initial`: nil for empty fields.
    @usableFromInline package init(
        schema: StateSchema, initial: [[UInt8]]? = nil, evolution: StateEvolution = .none, placement: StatePlacement = .moves
    ) {
        self.schema = schema
        self.placement = placement
        self.initial = initial ?? schema.fields.map(\.type.emptyEncoding)
        self.evolution = evolution
        precondition(self.initial.count == schema.fields.count, "state table \(schema.table): a value for each field")
        precondition(
            evolution.steps.allSatisfy { $0.version < schema.version },
            "state table \(schema.table): an evolution leads on from earlier versions alone")
    }
}
