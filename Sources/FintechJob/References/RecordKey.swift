import Engine

/// The key of a reference record: the raw text of an id, `{"<column>":…}`, or that under `payload`.
struct RecordKey: JSONFields {
    private var id = JSONValue.absent
    private var customerID = JSONValue.absent
    private var payload = JSONValue.absent

    enum Column {
        case id, customerID
    }

    mutating func take(_ key: ByteView, _ value: JSONValue) {
        switch key.count {
        case 2 where isKey(key, "id"): id = value
        case 7 where isKey(key, "payload"): payload = value
        case 11 where isKey(key, "customer_id"): customerID = value
        default: break
        }
    }

    /// What the key says the column's value is; the null view when it says nothing that can be used.
    static func read(_ column: Column, of record: SourceRecord, _ reader: FieldReader, _ scratch: ScratchMemory) -> ByteView {
        var key = RecordKey()
        guard JSONScanner.read(record.key, &key, scratch) == .object else {
            return (1...FieldReader.textLimit).contains(record.key.count) ? record.key : .null
        }
        let payload = key.payload
        if payload.kind == .object {
            key = RecordKey()
            guard JSONScanner.read(payload.bytes, &key, scratch) == .object else { return .null }
        }
        switch column {
        case .id: return reader.optionalText(key.id)
        case .customerID: return reader.optionalText(key.customerID)
        }
    }
}
