import Engine

/// Applies the sessions topic to a table that holds one session for each customer.
final class LatestSessionReader: ReferenceReader {
    private let table: ReferenceTable
    private let maxAhead: EventSpan?
    private let context: DecodingContext
    private let scratch = ScratchMemory()
    private var held = LatestSession()
    /// Made when a deletion first names nothing but the id.
    private var owners: SessionOwners?

    /// `maxAhead`: how far a `started_at` may lie after its record's timestamp; nil for any time.
    init(_ table: ReferenceTable, _ form: InputForm, maxAhead: EventSpan?) {
        self.table = table
        context = DecodingContext(form, isOfReference: true)
        self.maxAhead = maxAhead
    }

    var fieldDefects: [FieldDefect] { context.fieldDefects }
    var memoryBytes: Int { owners?.memoryBytes ?? 0 }
    var notes: Set<String> { context.notes }
    func recall(_ notes: Set<String>) { context.recall(notes) }

    func apply(_ record: SourceRecord) -> ReferenceOutcome {
        scratch.reset()
        context.fieldDefects.removeAll(keepingCapacity: true)
        var change = ChangeRecord<SessionRow>()
        let kind = change.read(record, context, scratch)
        let reader = FieldReader(context, scratch: scratch, latest: .latest(in: record, maxAhead: maxAhead), offset: record.offset)
        switch kind {
        case .created, .updated, .unstated: return hold(change.row, reader)
        // The row goes on under another key; for the customer that it was of it stays the latest session that they had.
        case .deleted where record.goesOnUnderAnotherKey: return .ignored
        case .deleted: return forget(change.row, record, reader)
        // A topic keyed by customer has a tombstone for each of a customer's sessions, which says nothing about one.
        case .nullValue:
            let key = RecordKey(of: record, context, scratch)
            let id = key.namedCode(.id, reader)
            // With the customer in it, it may be that of a row that goes on under another one.
            guard !id.isNull, key.namedCode(.customerID, reader).isNull else { return .ignored }
            forget(id)
            return .applied
        case .truncated:
            table.removeAll()
            owners = nil
            return .applied
        case .unknownOperation: return .unusable(Rejection("unknown_operation"))
        case .printedStruct, .malformed, .malformedAvro, .unknownSchema, .unusableSchema:
            return .unusable(kind.unreadable ?? .malformedJSON)
        }
    }

    private func hold(_ row: SessionRow, _ reader: FieldReader) -> ReferenceOutcome {
        let id = reader.optionalCode(row.id)
        let customer = reader.optionalCode(row.customerID)
        guard !id.isNull else { return .unusable(reader.defect(of: row.id, "id")) }
        guard !customer.isNull else { return .unusable(reader.defect(of: row.customerID, "customer_id")) }
        let startedAt = reader.usableTime(row.startedAt) ?? .distantPast
        if startedAt == .distantPast, !row.startedAt.isMissing {
            reader.note(row.startedAt, "started_at", "a time, no further ahead than time.maxAhead")
        }
        if table.find(customer, into: &held) {
            if held.id.view != id {
                guard startedAt > held.startedAt || (startedAt == held.startedAt && held.id.view < id) else { return .applied }
                owners?.remove(customer, from: held.id.view)
                held.reset()
            }
        } else {
            held.reset()
        }
        held.id.set(id)
        held.startedAt = startedAt
        reader.fill(&held.channel, with: row.channel, "channel")
        reader.fill(&held.deviceType, with: row.deviceType, "device_type")
        let actions = reader.usableCount(row.actions)
        if actions == nil, !row.actions.isMissing { reader.note(row.actions, "actions_count", "an integer of 0 or more") }
        held.actions = actions ?? 0
        let outcome = table.set(customer, to: &held)
        if outcome == .applied { owners?.add(customer, to: id) }
        return outcome
    }

    private func forget(_ row: SessionRow, _ record: SourceRecord, _ reader: FieldReader) -> ReferenceOutcome {
        let key = RecordKey(of: record, context, scratch)
        var id = reader.optionalCode(row.id)
        if id.isNull { id = key.namedCode(.id, reader) }
        guard !id.isNull else { return .unusable(key.defect("id")) }
        // A database that logs only the primary key of a deleted row leaves the customer to the record's key.
        var customer = reader.optionalCode(row.customerID)
        if customer.isNull { customer = key.namedCode(.customerID, reader) }
        guard customer.isNull else {
            if table.find(customer, into: &held), held.id.view == id { remove(customer, id) }
            return .applied
        }
        forget(id)
        return .applied
    }

    /// Forgets the session with the id, whosever it is.
    private func forget(_ id: ByteView) {
        if owners == nil { owners = readOwners() }
        for customer in owners?[id] ?? [] { customer.withUnsafeBytes { remove(ByteView($0), id) } }
    }

    private func remove(_ customer: ByteView, _ id: ByteView) {
        table.remove(customer)
        owners?.remove(customer, from: id)
    }

    private func readOwners() -> SessionOwners {
        var owners = SessionOwners()
        table.forEach { customer, record in
            if FieldDecoder.decode(record, into: &held) { owners.add(customer, to: held.id.view) }
        }
        return owners
    }
}

/// The session that is held for a customer: of those that came, the one that began last.
struct LatestSession: StateRecord {
    var id = TextField()
    var startedAt = EventTime.distantPast
    /// Empty when the row names none.
    var channel = TextField()
    /// Empty when the row names none.
    var deviceType = TextField()
    var actions: UInt64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("id", &id)
        visit.field("startedAt", &startedAt)
        visit.field("channel", &channel)
        visit.field("deviceType", &deviceType)
        visit.field("actions", &actions)
    }

    mutating func reset() {
        id.clear()
        startedAt = .distantPast
        channel.clear()
        deviceType.clear()
        actions = 0
    }
}
