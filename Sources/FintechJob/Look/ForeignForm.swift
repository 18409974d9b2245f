import Engine

/// What a value is that is no JSON, as far as its bytes tell.
enum ForeignForm {
    /// For people; nil for JSON, and for what is nothing known.
    static func name(of value: ByteView) -> String? {
        guard value.count > 1, !isObject(value) else { return nil }
        if value[0] == 0 { return value.count > 5 ? framed(value) : nil }
        return isProtobuf(value) ? "Protobuf" : nil
    }

    private static func isObject(_ value: ByteView) -> Bool {
        value.buffer.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D } == UInt8(ascii: "{")
    }

    /// Of a schema registry: a zero, the schema's id of four bytes (Apicurio's own: of eight), the value.
    private static func framed(_ value: ByteView) -> String {
        let id = (1...4).reduce(UInt32(0)) { $0 << 8 | UInt32(value[$1]) }
        if id == 0, value.count > 9 { return "Avro with a schema registry, in Apicurio's framing with ids of eight bytes" }
        let content = rest(of: value, from: 5)
        let framing = "with a schema registry, in Confluent's framing, schema \(id)"
        if isObject(content) { return "JSON \(framing)" }
        // Before a Protobuf message stands which one of its schema it is: a zero for the first.
        return content.count > 1 && content[0] == 0 && isProtobuf(rest(of: content, from: 1)) ? "Protobuf \(framing)" : "Avro \(framing)"
    }

    private static func rest(of view: ByteView, from index: Int) -> ByteView {
        ByteView(start: view.start.map { $0 + index }, count: view.count - index)
    }

    /// Whether the bytes are fields of a Protobuf message from the first to the last, and no text.
    private static func isProtobuf(_ bytes: ByteView) -> Bool {
        guard bytes.count > 1, bytes.buffer.contains(where: { $0 < 0x20 }) else { return false }
        var index = 0
        func varint() -> UInt64? {
            var (number, shift) = (UInt64(0), UInt64(0))
            while index < bytes.count, shift < 64 {
                let byte = bytes[index]
                index += 1
                number |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return number }
                shift += 7
            }
            return nil
        }
        while index < bytes.count {
            guard let tag = varint(), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return false }
            let length: UInt64?
            switch tag & 7 {
            case 0: length = varint().map { _ in 0 }
            case 1: length = 8
            case 2: length = varint()
            case 5: length = 4
            default: length = nil
            }
            guard let length, length <= UInt64(bytes.count - index) else { return false }
            index += Int(length)
        }
        return true
    }
}

/// Whether a value is a CloudEvent in its structured form, which Debezium's converter of that name writes.
struct CloudEventFields: RowFields {
    private var version = FieldValue.absent
    private var data = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if key == "specversion" { version = value }
        if key == "data" { data = value }
    }

    static func isOne(_ value: ByteView, _ scratch: ScratchMemory) -> Bool {
        var fields = CloudEventFields()
        return JSONScanner.read(value, &fields, scratch) == .object && !fields.version.isMissing && fields.data.kind != .absent
    }
}
