import Engine

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

/// Applies the sessions topic to a table that holds one session for each customer.
final class LatestSessionReader: ReferenceReader {
    private let table: ReferenceTable
    private let maxAhead: EventSpan?
    private let scratch = ScratchMemory()
    private var held = LatestSession()

    /// `maxAhead`: how far a `started_at` may lie after its record's timestamp; nil for any time.
    init(_ table: ReferenceTable, maxAhead: EventSpan?) {
        self.table = table
        self.maxAhead = maxAhead
    }

    func apply(_ record: SourceRecord) -> ReferenceOutcome {
        scratch.reset()
        var change = ChangeRecord<SessionRow>()
        let kind = change.read(record.value, scratch)
        let reader = FieldReader(scratch: scratch, latest: .latest(in: record, maxAhead: maxAhead))
        switch kind {
        case .created, .updated: return hold(change.row, reader)
        case .deleted: return forget(change.row, record, reader)
        case .truncated:
            table.removeAll()
            return .applied
        // The topic is keyed by customer, so that a tombstone says nothing about a session.
        case .nullValue, .unknownOperation: return .ignored
        case .malformed: return .unusable(.malformedJSON)
        }
    }

    private func hold(_ row: SessionRow, _ reader: FieldReader) -> ReferenceOutcome {
        let id = reader.optionalText(row.id)
        let customer = reader.optionalText(row.customerID)
        if let defect = defect(row, id, customer, reader) { return .unusable(defect) }
        let startedAt = reader.usableTime(row.startedAt) ?? .distantPast
        if table.find(customer, into: &held), held.id.view != id {
            guard startedAt > held.startedAt || (startedAt == held.startedAt && held.id.view < id) else { return .applied }
        }
        held.id.set(id)
        held.startedAt = startedAt
        held.channel.set(reader.optionalText(row.channel))
        held.deviceType.set(reader.optionalText(row.deviceType))
        held.actions = reader.optionalCount(row.actions)
        return table.set(customer, to: &held)
    }

    private func forget(_ row: SessionRow, _ record: SourceRecord, _ reader: FieldReader) -> ReferenceOutcome {
        var id = reader.optionalText(row.id)
        if id.isNull { id = RecordKey.read(.id, of: record, reader, scratch) }
        var customer = reader.optionalText(row.customerID)
        // A database that logs only the primary key of a deleted row leaves the customer to the record's key.
        if customer.isNull { customer = RecordKey.read(.customerID, of: record, reader, scratch) }
        if let defect = defect(row, id, customer, reader) { return .unusable(defect) }
        if table.find(customer, into: &held), held.id.view == id { table.remove(customer) }
        return .applied
    }

    /// Why a row doesn't say which session it is, and whose; nil when it does.
    private func defect(_ row: SessionRow, _ id: ByteView, _ customer: ByteView, _ reader: FieldReader) -> Rejection? {
        if id.isNull { return reader.defect(of: row.id, "id") }
        return customer.isNull ? reader.defect(of: row.customerID, "customer_id") : nil
    }
}
