/// The shape of a state table as it is written beside the state: enough to read any record without the job's code.
@usableFromInline package struct StateSchema: Hashable, Sendable {
    /// The table's name, unique in its stage.
    package let table: String
    /// Counted up by the job's author whenever the fields change.
    package let version: Int
    package let key: StateKeyKind
    /// True when each record leads with its key's timer: a zigzag varint of milliseconds, `Int64.max` for none.
    package let hasTimer: Bool
    /// The length of the windows of a windowed table; nil for one without, and for one stored before this was kept.
    @usableFromInline package let span: EventSpan?
    package let fields: [StateField]

    @usableFromInline package init(
        table: String, version: Int, key: StateKeyKind, hasTimer: Bool, span: EventSpan? = nil, fields: [StateField]
    ) {
        self.table = table
        self.version = version
        self.key = key
        self.hasTimer = hasTimer
        self.span = span
        self.fields = fields
    }

    /// The schema of `Record`, collected by visiting the fields of an empty one.
    @usableFromInline package init<Record: StateRecord>(
        table: String, version: Int, key: StateKeyKind, hasTimer: Bool = false, span: EventSpan? = nil, record: Record.Type
    ) {
        self = StateDeclaration(table: table, version: version, key: key, hasTimer: hasTimer, span: span, record: record).schema
    }
}

extension StateDeclaration {
    /// The table of `Record`s: schema and initial values are collected by visiting the fields of an empty one.
    @usableFromInline package init<Record: StateRecord>(
        table: String, version: Int, key: StateKeyKind, hasTimer: Bool = false, span: EventSpan? = nil, evolution: StateEvolution = .none,
        placement: StatePlacement = .moves, record: Record.Type
    ) {
        var collector = FieldCollector()
        var empty = Record()
        empty.fields(&collector)
        let names = collector.fields.map(\.name)
        precondition(Set(names).count == names.count, "state table \(table): a field's name is used twice")
        let schema = StateSchema(table: table, version: version, key: key, hasTimer: hasTimer, span: span, fields: collector.fields)
        self.init(schema: schema, initial: collector.initial, evolution: evolution, placement: placement)
    }
}

/// What leads a stored key. The raw values are stored.
@usableFromInline package enum StateKeyKind: String, Hashable, Sendable {
    /// The key alone.
    case key
    /// The window's start, then the key.
    case windowAndKey
}

/// One field of a stored record.
@usableFromInline package struct StateField: Hashable, Sendable {
    package let name: String
    package let type: StateFieldType

    package init(name: String, type: StateFieldType) {
        self.name = name
        self.type = type
    }
}

/// How a field is encoded. The raw values are stored.
public enum StateFieldType: String, Hashable, Sendable {
    /// One byte, 0 or 1.
    case bool
    /// A varint.
    case unsigned
    /// A zigzag varint.
    case signed
    /// A zigzag number as two varints, low half first.
    case signed128
    /// A zigzag varint of milliseconds since 1970 UTC.
    case time
    /// A varint length, then the bytes.
    case text
    /// A varint byte length, then texts.
    case textSet
    /// A varint byte length, then pairs of a text and four bytes of count.
    case textCounts
    /// As `RecentNumbers` says.
    case recentNumbers
    /// As `BucketSums` says.
    case bucketSums
    /// As `LastSeenTexts` says.
    case lastSeenTexts
}

private struct FieldCollector: FieldVisitor {
    var fields: [StateField] = []
    var initial: [[UInt8]] = []

    private mutating func add<Value: StateFieldValue>(_ name: StaticString, _ value: Value) {
        fields.append(StateField(name: String(describing: name), type: Value.fieldType))
        initial.append(value.encodedField)
    }

    mutating func field(_ name: StaticString, _ value: inout Bool) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout UInt64) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout Int64) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout Int128) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout EventTime) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout TextField) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout TextSet) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout TextCounts) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout RecentNumbers) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout BucketSums) { add(name, value) }
    mutating func field(_ name: StaticString, _ value: inout LastSeenTexts) { add(name, value) }
}
