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

    init(of record: SourceRecord, _ scratch: ScratchMemory) {
        guard !record.key.isEmpty else { return }
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
