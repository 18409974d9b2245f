import Engine

/// A record's value in any of the forms that Debezium writes, and the row in it.
///
/// One pass over the value collects the fields of a flat row and, beside them, what tells an envelope. Only when it is
/// one, or lies under `payload`, the part that holds the row is looked at again.
struct ChangeRecord<Row: RowFields>: RowFields {
    private(set) var row = Row()
    /// Of an envelope: the row before the change.
    private(set) var before = FieldValue.absent
    /// What the record's own schema says; nil when it brings none.
    private(set) var schema: ConnectSchema?
    /// Of a record in Avro: its schema.
    private var table: AvroTable?
    private var operation = FieldValue.absent
    private var after = FieldValue.absent
    private var schemaText = FieldValue.absent
    private var payload = FieldValue.absent
    private var source = FieldValue.absent
    private var flatOperation = FieldValue.absent
    private var flatDeleted = FieldValue.absent

    init() {}

    @inline(__always)
    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 2 where isKey(key, "op"): operation = value
        case 4 where isKey(key, "__op"): flatOperation = value
        case 5 where isKey(key, "after"): after = value
        case 6 where isKey(key, "before"): before = value
        case 6 where isKey(key, "schema"): schemaText = value
        case 6 where isKey(key, "source"): source = value
        case 7 where isKey(key, "payload"): payload = value
        case 9 where isKey(key, "__deleted"): flatDeleted = value
        default: row.take(key, value)
        }
    }

    /// Reads a record's value into this change, which is fresh.
    mutating func read(_ record: SourceRecord, _ context: DecodingContext, _ scratch: ScratchMemory) -> RowChange {
        let value = record.value
        guard !value.isEmpty else { return .nullValue }
        if let avro = context.avro { return readAvro(record, avro, context, scratch) }
        guard let kind = JSONScanner.read(value, &self, scratch) else { return RowChange(unreadable: value) }
        if let change = withoutRow(kind) { return change == .malformed ? RowChange(unreadable: value) : change }
        var flat = value
        if schemaText.kind != .absent, payload.kind != .absent {
            let (inner, text) = (payload, schemaText)
            self = ChangeRecord()
            if text.kind == .object { schema = context.schemas.schema(text.bytes, scratch) }
            guard let kind = readAgain(inner, scratch) else { return .malformed }
            if let change = withoutRow(kind) { return change }
            flat = inner.bytes
        }
        if isEnvelope { return readEnvelope(scratch) }
        if let schema { return typed(flat, &row, schema, scratch) ? flatChange(of: flat, record, context, scratch) : .malformed }
        return flatChange(of: flat, record, context, scratch)
    }

    private mutating func readAvro(_ record: SourceRecord, _ avro: AvroRecords, _ context: DecodingContext, _ scratch: ScratchMemory)
        -> RowChange
    {
        switch avro.value(of: record) {
        case .unframed: return .malformedAvro
        case .unknownSchema: return .unknownSchema
        case .unusableSchema: return .unusableSchema
        case .record(let table, let bytes):
            guard let value = table.read(bytes, &self, scratch) else { return .malformedAvro }
            self.table = table
            switch value.kind {
            case .record: return isEnvelope ? readEnvelope(scratch) : flatChange(of: bytes, record, context, scratch)
            case .null: return .nullValue
            default: return .malformedAvro
            }
        }
    }

    /// An operation beside an image, or beside where it comes from: events without a row (of a truncated table, say) have no image, and
    /// some converters leave out what is null.
    private var isEnvelope: Bool {
        operation.kind != .absent && (before.kind != .absent || after.kind != .absent || source.kind != .absent)
    }

    /// The change of a value that can't hold a row; nil for an object.
    private func withoutRow(_ kind: FieldValue.Kind) -> RowChange? {
        switch kind {
        case .object: nil
        case .null: .nullValue
        case .absent, .true, .false, .number, .string, .escapedString, .array, .integer, .double, .bytes, .record: .malformed
        }
    }

    private mutating func readAgain(_ value: FieldValue, _ scratch: ScratchMemory) -> FieldValue.Kind? {
        value.kind == .object ? JSONScanner.read(value.bytes, &self, scratch) : value.kind
    }

    private mutating func readEnvelope(_ scratch: ScratchMemory) -> RowChange {
        let change = RowChange(operation: operation, scratch)
        guard isImage(after) || after.isMissing else { return malformed }
        row = Row()
        let image = change == .deleted ? before : after
        guard isImage(image) else { return change == .created ? .nullValue : change }
        return read(image, &row, scratch) ? change : malformed
    }

    private func isImage(_ value: FieldValue) -> Bool { value.kind == .object || value.kind == .record }
    private var malformed: RowChange { table == nil ? .malformed : .malformedAvro }

    /// Whether a record that was read as a creation says that the row was inserted just then, not read in a snapshot.
    func saysInsert(_ record: SourceRecord, _ context: DecodingContext, _ scratch: ScratchMemory) -> Bool {
        let stated = isEnvelope ? operation : flatOperation
        if !stated.isMissing { return stated.text(scratch).map { $0 == "c" } ?? false }
        let header = context.operationName.withUnsafeBytes { record.headers.value(of: ByteView($0)) }
        return header.map { $0 == "c" || $0 == "\"c\"" } ?? false
    }

    /// Reads the row before the change; false when there is none to be used.
    func readBefore(_ row: inout Row, _ scratch: ScratchMemory) -> Bool {
        isImage(before) && read(before, &row, scratch)
    }

    /// Where the database's log has an envelope's change, by its own count, as PostgreSQL's `lsn`; 0 where the record doesn't say.
    func logPosition(_ reader: FieldReader, _ scratch: ScratchMemory) -> UInt64 {
        guard isImage(source) else { return 0 }
        var place = ChangeSource()
        let isRead = table.map { $0.read(source, &place, scratch) } ?? (JSONScanner.read(source.bytes, &place, scratch) != nil)
        return isRead ? reader.optionalCount(place.logPosition) : 0
    }

    private func read(_ image: FieldValue, _ row: inout Row, _ scratch: ScratchMemory) -> Bool {
        if let table { return table.read(image, &row, scratch) }
        if let schema { return typed(image.bytes, &row, schema, scratch) }
        return JSONScanner.read(image.bytes, &row, scratch) != nil
    }

    /// Reads a row whose schema is known.
    private func typed(_ image: ByteView, _ row: inout Row, _ schema: ConnectSchema, _ scratch: ScratchMemory) -> Bool {
        var fields = TypedFields<Row>()
        fields.schema = schema
        guard JSONScanner.read(image, &fields, scratch) != nil else { return false }
        row = fields.row
        return true
    }

    private func flatChange(of value: ByteView, _ record: SourceRecord, _ context: DecodingContext, _ scratch: ScratchMemory) -> RowChange {
        if flatDeleted.kind == .true { return .deleted }
        if let text = flatDeleted.text(scratch), text == "true" { return .deleted }
        if !flatOperation.isMissing { return RowChange(operation: flatOperation, scratch) }
        if context.hasOwnOperationName {
            var named = NamedField()
            named.name = context.operationName
            let isRead = table.map { $0.read(value, &named, scratch) != nil } ?? (JSONScanner.read(value, &named, scratch) != nil)
            if isRead, !named.value.isMissing { return RowChange(operation: named.value, scratch) }
        }
        let header = context.operationName.withUnsafeBytes { record.headers.value(of: ByteView($0)) }
        guard let header, !header.isEmpty else { return .unstated }
        return RowChange(header: header)
    }
}

/// A row's fields with what its schema says of each.
private struct TypedFields<Row: RowFields>: RowFields {
    var row = Row()
    var schema: ConnectSchema?

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        var value = value
        if let schema { value.declared = schema.type(of: key) }
        row.take(key, value)
    }
}

/// What is used of where a change comes from.
private struct ChangeSource: RowFields {
    var logPosition = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if key == "lsn" { logPosition = value }
    }
}

/// The one field of a name that is known only at run time.
private struct NamedField: RowFields {
    var name: [UInt8] = []
    var value = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if name.withUnsafeBytes({ ByteView($0) == key }) { self.value = value }
    }
}
