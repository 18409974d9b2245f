import Engine

/// A record's value in any of the forms that Debezium writes, and the row in it.
///
/// One pass over the value collects the fields of a flat row and, beside them, what tells an envelope. Only when it is
/// one, or lies under `payload`, the part that holds the row is looked at again.
struct ChangeRecord<Row: JSONFields>: JSONFields {
    private(set) var row = Row()
    private var operation = JSONValue.absent
    private var before = JSONValue.absent
    private var after = JSONValue.absent
    private var schema = JSONValue.absent
    private var payload = JSONValue.absent
    private var flatOperation = JSONValue.absent
    private var flatDeleted = JSONValue.absent

    init() {}

    @inline(__always)
    mutating func take(_ key: ByteView, _ value: JSONValue) {
        switch key.count {
        case 2 where isKey(key, "op"): operation = value
        case 4 where isKey(key, "__op"): flatOperation = value
        case 5 where isKey(key, "after"): after = value
        case 6 where isKey(key, "before"): before = value
        case 6 where isKey(key, "schema"): schema = value
        case 7 where isKey(key, "payload"): payload = value
        case 9 where isKey(key, "__deleted"): flatDeleted = value
        default: row.take(key, value)
        }
    }

    /// Reads a value into this record, which is fresh.
    mutating func read(_ value: ByteView, _ scratch: ScratchMemory) -> RowChange {
        guard !value.isEmpty else { return .nullValue }
        guard let kind = JSONScanner.read(value, &self, scratch) else { return .malformed }
        if let change = withoutRow(kind) { return change }
        if schema.kind != .absent, payload.kind != .absent {
            let inner = payload
            self = ChangeRecord()
            guard let kind = readAgain(inner, scratch) else { return .malformed }
            if let change = withoutRow(kind) { return change }
        }
        if operation.kind != .absent, before.kind != .absent || after.kind != .absent {
            return readEnvelope(scratch)
        }
        return flatChange(scratch)
    }

    /// The change of a value that can't hold a row; nil for an object.
    private func withoutRow(_ kind: JSONValue.Kind) -> RowChange? {
        switch kind {
        case .object: nil
        case .null: .nullValue
        case .absent, .true, .false, .number, .string, .escapedString, .array: .malformed
        }
    }

    private mutating func readAgain(_ value: JSONValue, _ scratch: ScratchMemory) -> JSONValue.Kind? {
        value.kind == .object ? JSONScanner.read(value.bytes, &self, scratch) : value.kind
    }

    private mutating func readEnvelope(_ scratch: ScratchMemory) -> RowChange {
        let change = RowChange(operation: operation, scratch)
        guard after.kind == .object || after.isMissing else { return .malformed }
        row = Row()
        let image = change == .deleted ? before : after
        guard image.kind == .object else { return change == .created ? .nullValue : change }
        return JSONScanner.read(image.bytes, &row, scratch) == nil ? .malformed : change
    }

    private func flatChange(_ scratch: ScratchMemory) -> RowChange {
        if flatDeleted.kind == .true { return .deleted }
        if let text = flatDeleted.text(scratch), text == "true" { return .deleted }
        return flatOperation.isMissing ? .created : RowChange(operation: flatOperation, scratch)
    }
}

/// What a value says was done to a row.
enum RowChange: BitwiseCopyable {
    /// Created or read; its fields are in the change record's `row`.
    case created
    /// Changed; its new fields are in `row`.
    case updated
    /// Deleted; what is known of it is in `row`, often nothing.
    case deleted
    /// All rows of the table were deleted.
    case truncated
    /// The value is null, and so is the row: with a log that is compacted, the key's row is gone.
    case nullValue
    case unknownOperation
    case malformed

    /// What Debezium's `op` says.
    init(operation: JSONValue, _ scratch: ScratchMemory) {
        guard let text = operation.text(scratch), text.count == 1 else { self = .unknownOperation; return }
        switch text[0] {
        case UInt8(ascii: "c"), UInt8(ascii: "r"): self = .created
        case UInt8(ascii: "u"): self = .updated
        case UInt8(ascii: "d"): self = .deleted
        case UInt8(ascii: "t"): self = .truncated
        default: self = .unknownOperation
        }
    }
}
