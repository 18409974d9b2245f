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

    /// What a value says.
    enum Change: BitwiseCopyable {
        /// A row was created or read: its fields are in `row`.
        case row
        /// Nothing that a stream of facts has to process; the reason's name.
        case skipped(StaticString)
        case malformed
    }

    /// Reads a value into this record, which is fresh.
    mutating func read(_ value: ByteView, _ scratch: ScratchMemory) -> Change {
        guard !value.isEmpty else { return .skipped(Skip.nullValue) }
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
    private func withoutRow(_ kind: JSONValue.Kind) -> Change? {
        switch kind {
        case .object: nil
        case .null: .skipped(Skip.nullValue)
        case .absent, .true, .false, .number, .string, .escapedString, .array: .malformed
        }
    }

    private mutating func readAgain(_ value: JSONValue, _ scratch: ScratchMemory) -> JSONValue.Kind? {
        value.kind == .object ? JSONScanner.read(value.bytes, &self, scratch) : value.kind
    }

    private mutating func readEnvelope(_ scratch: ScratchMemory) -> Change {
        let operation = Operation(operation, scratch)
        let image = after
        guard image.kind == .object || image.isMissing else { return .malformed }
        if let reason = operation.skip { return .skipped(reason) }
        guard image.kind == .object else { return .skipped(Skip.nullValue) }
        row = Row()
        return JSONScanner.read(image.bytes, &row, scratch) == nil ? .malformed : .row
    }

    private func flatChange(_ scratch: ScratchMemory) -> Change {
        if flatDeleted.kind == .true { return .skipped(Skip.delete) }
        if let text = flatDeleted.text(scratch), text == "true" { return .skipped(Skip.delete) }
        guard !flatOperation.isMissing, let reason = Operation(flatOperation, scratch).skip else { return .row }
        return .skipped(reason)
    }
}

/// Why a stream's records are not processed, as a metric counts them.
enum Skip {
    static let nullValue: StaticString = "null_value"
    static let update: StaticString = "update"
    static let delete: StaticString = "delete"
    static let truncate: StaticString = "truncate"
    static let unknownOperation: StaticString = "unknown_operation"
}

/// What Debezium says was done to a row.
private enum Operation: BitwiseCopyable {
    case create, read, update, delete, truncate, unknown

    init(_ value: JSONValue, _ scratch: ScratchMemory) {
        guard let text = value.text(scratch), text.count == 1 else { self = .unknown; return }
        switch text[0] {
        case UInt8(ascii: "c"): self = .create
        case UInt8(ascii: "r"): self = .read
        case UInt8(ascii: "u"): self = .update
        case UInt8(ascii: "d"): self = .delete
        case UInt8(ascii: "t"): self = .truncate
        default: self = .unknown
        }
    }

    /// Why a record of this operation is not processed; nil when it is.
    var skip: StaticString? {
        switch self {
        case .create, .read: nil
        case .update: Skip.update
        case .delete: Skip.delete
        case .truncate: Skip.truncate
        case .unknown: Skip.unknownOperation
        }
    }
}
