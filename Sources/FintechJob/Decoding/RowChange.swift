import Engine

/// What a value says was done to a row.
enum RowChange: BitwiseCopyable {
    /// Created or read; its fields are in the change record's `row`.
    case created
    /// Changed; its new fields are in `row`.
    case updated
    /// A flat row that doesn't say what was done to it; its fields are in `row`.
    case unstated
    /// Deleted; what is known of it is in `row`, often nothing.
    case deleted
    /// All rows of the table were deleted.
    case truncated
    /// The value is null, and so is the row: with a log that is compacted, the key's row is gone.
    case nullValue
    case unknownOperation
    /// Connect's own print of a struct, which is no JSON.
    case printedStruct
    case malformed
    /// Bytes that don't fit the schema that they name, or that name none.
    case malformedAvro
    /// The registry has no schema of the number.
    case unknownSchema
    /// What the registry has under the number is no schema that records can be read by.
    case unusableSchema

    /// Why a value can't be read; nil where it was.
    var unreadable: Rejection? {
        switch self {
        case .created, .updated, .unstated, .deleted, .truncated, .nullValue, .unknownOperation: nil
        case .printedStruct: .printedStruct
        case .malformed: .malformedJSON
        case .malformedAvro: Rejection("malformed_avro")
        case .unknownSchema: Rejection("unknown_schema")
        case .unusableSchema: Rejection("unusable_schema")
        }
    }

    /// What Debezium's `op` says.
    init(operation: FieldValue, _ scratch: ScratchMemory) {
        guard let text = operation.text(scratch) else {
            self = .unknownOperation
            return
        }
        self.init(letter: text)
    }

    /// What a header says: the letter, or the letter as a JSON string, as Connect's converters of headers write it.
    init(header: ByteView) {
        let quote = UInt8(ascii: "\"")
        let isQuoted = header.count == 3 && header[0] == quote && header[2] == quote
        self.init(letter: isQuoted ? ByteView(start: header.start.map { $0 + 1 }, count: 1) : header)
    }

    init(unreadable value: ByteView) {
        let print: StaticString = "Struct{"
        let quoted: StaticString = "\"Struct{"
        self = value.prefix(7) == print || value.prefix(8) == quoted ? .printedStruct : .malformed
    }

    private init(letter text: ByteView) {
        guard text.count == 1 else {
            self = .unknownOperation
            return
        }
        switch text[0] {
        case UInt8(ascii: "c"), UInt8(ascii: "r"): self = .created
        case UInt8(ascii: "u"): self = .updated
        case UInt8(ascii: "d"): self = .deleted
        case UInt8(ascii: "t"): self = .truncated
        default: self = .unknownOperation
        }
    }
}
