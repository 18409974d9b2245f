import Engine

/// What the schema that Connect's JSON converter sends with a record says of the columns of its row.
final class ConnectSchema {
    private struct Column {
        let name: [UInt8]
        let type: DeclaredType
    }

    fileprivate let text: [UInt8]
    private var columns: [Column] = []
    /// Where the next column is looked for: rows name their columns in the schema's order.
    private var next = 0

    /// `text`: the schema, which the scanner has checked.
    init(_ text: ByteView, _ scratch: ScratchMemory) {
        self.text = text.copy()
        var schema = SchemaFields()
        guard JSONScanner.read(text, &schema, scratch) == .object else { return }
        // An envelope's row is a struct of its own; the columns of both images are the same.
        var rows: [ByteView] = []
        _ = JSONScanner.forEachElement(of: schema.fields.bytes) { element in
            var field = SchemaFields()
            guard element.kind == .object, JSONScanner.read(element.bytes, &field, scratch) == .object else { return }
            guard let name = field.field.text(scratch) else { return }
            if name == "after" || name == "before", field.fields.kind == .array { rows.append(field.fields.bytes) }
            add(name, field, scratch)
        }
        guard let row = rows.last else { return }
        columns.removeAll()
        _ = JSONScanner.forEachElement(of: row) { element in
            var field = SchemaFields()
            guard element.kind == .object, JSONScanner.read(element.bytes, &field, scratch) == .object else { return }
            if let name = field.field.text(scratch) { add(name, field, scratch) }
        }
    }

    /// Columns beyond so many are as if no schema spoke of them: each record's fields are looked for among them.
    private static let columnLimit = 1024

    private func add(_ name: ByteView, _ field: SchemaFields, _ scratch: ScratchMemory) {
        guard columns.count < ConnectSchema.columnLimit else { return }
        columns.append(Column(name: name.copy(), type: field.declared(scratch)))
    }

    func type(of name: ByteView) -> DeclaredType {
        for step in 0..<columns.count {
            let index = next + step < columns.count ? next + step : next + step - columns.count
            guard columns[index].name.withUnsafeBytes({ ByteView($0) == name }) else { continue }
            next = index + 1 < columns.count ? index + 1 : 0
            return columns[index].type
        }
        return .none
    }
}

/// The schemas that a topic's records came with, those met last first: nearly every record brings the one before it.
final class ConnectSchemas {
    /// So many are kept; a topic's schema changes with its table's columns.
    private static let limit = 8
    private var schemas: [ConnectSchema] = []

    func schema(_ text: ByteView, _ scratch: ScratchMemory) -> ConnectSchema {
        for (index, schema) in schemas.enumerated() where schema.text.withUnsafeBytes({ ByteView($0) == text }) {
            if index > 0 { schemas.swapAt(0, index) }
            return schema
        }
        if schemas.count == ConnectSchemas.limit { schemas.removeLast() }
        let schema = ConnectSchema(text, scratch)
        schemas.insert(schema, at: 0)
        return schema
    }
}

/// A schema, or that of a field of a struct.
private struct SchemaFields: RowFields {
    var type = FieldValue.absent
    var name = FieldValue.absent
    var field = FieldValue.absent
    var fields = FieldValue.absent
    var parameters = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 4 where isKey(key, "type"): type = value
        case 4 where isKey(key, "name"): name = value
        case 5 where isKey(key, "field"): field = value
        case 6 where isKey(key, "fields"): fields = value
        case 10 where isKey(key, "parameters"): parameters = value
        default: break
        }
    }

    func declared(_ scratch: ScratchMemory) -> DeclaredType {
        guard let name = name.text(scratch) else { return type.text(scratch).map { $0 == "string" } == true ? DeclaredType(.text) : .none }
        guard name == "org.apache.kafka.connect.data.Decimal" else { return DeclaredType(logicalName: name) }
        var scale = ScaleField()
        guard JSONScanner.read(parameters.bytes, &scale, scratch) == .object, let digits = scale.scale.text(scratch) else { return .none }
        var reader = DigitReader(digits)
        let isNegative = reader.take(UInt8(ascii: "-"))
        guard let number = reader.number(digits: digits.count - (isNegative ? 1 : 0)), number <= 127, digits.count <= 4 else {
            return .none
        }
        return DeclaredType(.decimal, scale: Int8(isNegative ? -number : number))
    }
}

private struct ScaleField: RowFields {
    var scale = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if key == "scale" { scale = value }
    }
}

extension DeclaredType {
    /// What Connect's and Debezium's names for types mean; `none` for those that say nothing that a value doesn't.
    init(logicalName name: ByteView) {
        let known: [(StaticString, Meaning)] = [
            ("io.debezium.time.MicroTimestamp", .microseconds), ("io.debezium.time.Timestamp", .milliseconds),
            ("io.debezium.time.NanoTimestamp", .nanoseconds), ("org.apache.kafka.connect.data.Timestamp", .milliseconds),
            ("io.debezium.time.IsoTimestamp", .localText), ("io.debezium.time.ZonedTimestamp", .text),
            ("io.debezium.time.Date", .days), ("org.apache.kafka.connect.data.Date", .days),
            ("io.debezium.data.Enum", .text), ("io.debezium.data.Uuid", .text), ("io.debezium.data.Json", .text),
        ]
        self.init(known.first { name == $0.0 }?.1 ?? .none)
    }
}
