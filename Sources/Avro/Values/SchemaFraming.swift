import Engine

/// How a record names the schema that it was written by: a zero byte, the schema's number, and the value behind it.
package struct SchemaFraming: BitwiseCopyable, Sendable {
    /// What the number counts.
    package var space: SchemaID.Space
    /// How many bytes the number has, the greatest first: 4 as Confluent writes it, or 8.
    package var numberBytes: NumberBytes

    /// Whether headers that Apicurio's serializers write count: with one of them the value has no frame.
    package var looksAtHeaders = false

    package enum NumberBytes: Int, BitwiseCopyable, Sendable {
        case four = 4
        case eight = 8
    }

    /// Their names.
    package static let headerNames = [
        "apicurio.value.globalId", "apicurio.value.contentId", "apicurio.key.globalId", "apicurio.key.contentId",
    ]

    package init(space: SchemaID.Space = .schema, numberBytes: NumberBytes = .four) {
        self.space = space
        self.numberBytes = numberBytes
    }

    /// A value without its frame.
    package struct Framed: BitwiseCopyable {
        package let schema: SchemaID
        package let bytes: ByteView

        @inlinable init(schema: SchemaID, bytes: ByteView) {
            self.schema = schema
            self.bytes = bytes
        }
    }

    /// A record's value.
    @inlinable
    package func value(of record: SourceRecord) -> Framed? {
        if looksAtHeaders, !record.value.isNull {
            if let id = SchemaFraming.number(record.headers.value(of: "apicurio.value.globalId")) {
                return Framed(schema: SchemaID(.global, id), bytes: record.value)
            }
            if let id = SchemaFraming.number(record.headers.value(of: "apicurio.value.contentId")) {
                return Framed(schema: SchemaID(.content, id), bytes: record.value)
            }
        }
        return open(record.value)
    }

    /// A record's key.
    @inlinable
    package func key(of record: SourceRecord) -> Framed? {
        if looksAtHeaders, !record.key.isNull {
            if let id = SchemaFraming.number(record.headers.value(of: "apicurio.key.globalId")) {
                return Framed(schema: SchemaID(.global, id), bytes: record.key)
            }
            if let id = SchemaFraming.number(record.headers.value(of: "apicurio.key.contentId")) {
                return Framed(schema: SchemaID(.content, id), bytes: record.key)
            }
        }
        return open(record.key)
    }

    /// Headers have eight bytes, the greatest first.
    @usableFromInline static func number(_ header: ByteView?) -> Int64? {
        guard let header, header.count == 8, let start = header.start else { return nil }
        return Int64(bigEndian: UnsafeRawPointer(start).loadUnaligned(as: Int64.self))
    }

    /// nil for what has no such frame: nothing, or something that is not written so.
    @inlinable
    package func open(_ framed: ByteView) -> Framed? {
        let length = 1 + numberBytes.rawValue
        guard framed.count >= length, let start = framed.start, start.pointee == 0 else { return nil }
        let number = UnsafeRawPointer(start + 1)
        let schema =
            switch numberBytes {
            case .four: Int64(Int32(bigEndian: number.loadUnaligned(as: Int32.self)))
            case .eight: Int64(bigEndian: number.loadUnaligned(as: Int64.self))
            }
        return Framed(schema: SchemaID(space, schema), bytes: ByteView(start: start + length, count: framed.count - length))
    }
}
