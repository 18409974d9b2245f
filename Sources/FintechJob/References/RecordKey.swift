import Engine

/// The key of a record: the raw text of an id, the same as JSON, `{"<column>":…}`, or either under `payload`.
struct RecordKey {
    enum Column {
        case id, customerID
    }

    private var fields = Fields()
    /// The key as a whole; absent for an object, whose columns are in `fields`.
    private var whole = FieldValue.absent
    private var isPrintedStruct = false

    init(of record: SourceRecord, _ context: DecodingContext, _ scratch: ScratchMemory) {
        guard !record.key.isEmpty else { return }
        if let avro = context.avro, readAvro(avro.key(of: record), scratch) { return }
        let kind = JSONScanner.read(record.key, &fields, scratch)
        guard kind == .object else {
            let text = kind.map { _ in JSONScanner.scalar(record.key) } ?? FieldValue(kind: .string, bytes: record.key)
            isPrintedStruct = RowChange(unreadable: record.key) == .printedStruct
            if !isPrintedStruct { whole = text }
            return
        }
        let payload = fields.payload
        guard !payload.isMissing else { return }
        fields = Fields()
        if payload.kind != .object {
            whole = payload
        } else if JSONScanner.read(payload.bytes, &fields, scratch) != .object {
            fields = Fields()
        }
    }

    /// Takes a key in Avro: a record, or a value that is the key as a whole. False for a key that is none.
    private mutating func readAvro(_ opened: AvroRecords.Opened, _ scratch: ScratchMemory) -> Bool {
        switch opened {
        case .unframed: return false
        case .unknownSchema, .unusableSchema: return true
        case .record(let table, let bytes):
            guard let value = table.read(bytes, &fields, scratch) else {
                fields = Fields()
                return true
            }
            if value.kind != .record, !value.isMissing { whole = value }
            return true
        }
    }

    /// What the key says the column's value is; the null view when it says nothing that can be used.
    func code(_ column: Column, _ reader: FieldReader) -> ByteView {
        guard whole.kind == .absent else { return reader.optionalCode(whole) }
        switch column {
        case .id: return reader.optionalCode(fields.id)
        case .customerID: return reader.optionalCode(fields.customerID)
        }
    }

    /// As `code`, only where the key names the column.
    func namedCode(_ column: Column, _ reader: FieldReader) -> ByteView { whole.kind == .absent ? code(column, reader) : .null }

    /// Why the key can't be used for a row that has nothing else to be known by.
    func defect(_ field: StaticString) -> Rejection { isPrintedStruct ? .printedStruct : Rejection("missing_field", field: field) }

    private struct Fields: RowFields {
        var id = FieldValue.absent
        var customerID = FieldValue.absent
        var payload = FieldValue.absent

        mutating func take(_ key: ByteView, _ value: FieldValue) {
            switch key.count {
            case 2 where isKey(key, "id"): id = value
            case 7 where isKey(key, "payload"): payload = value
            case 11 where isKey(key, "customer_id"): customerID = value
            default: break
            }
        }
    }
}
