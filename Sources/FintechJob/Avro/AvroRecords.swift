import Avro
import Engine

/// Finds the schemas of one topic's records. For one task.
final class AvroRecords {
    /// A schema that was met, and the memory of its table.
    private final class Known {
        let schema: AvroSchema
        let columns: UnsafeMutablePointer<AvroTable.Column>

        init(_ schema: AvroSchema) {
            self.schema = schema
            columns = .allocate(capacity: max(schema.annotations.count, 1))
            for (type, annotation) in schema.annotations.enumerated() {
                (columns + type).initialize(to: AvroTable.Column(annotation, isText: schema.plan.isText(Int32(type))))
            }
        }

        deinit { columns.deallocate() }

        var table: AvroTable { AvroTable(plan: schema.plan, columns: UnsafePointer(columns)) }
    }

    /// What a key or a value is.
    enum Opened: BitwiseCopyable {
        case record(AvroTable, ByteView)
        /// Nothing that names a schema.
        case unframed
        case unknownSchema, unusableSchema
    }

    private let form: AvroForm
    /// nil for a schema that can't be used.
    private var known: [SchemaID: Known?] = [:]
    /// Nearly every value has the schema of the one before it.
    private var last: (id: SchemaID, table: AvroTable)?

    init(_ form: AvroForm) { self.form = form }

    /// Of the record that was opened last: hands the fields of a record in it to `fields`; false when it is malformed.
    func read<Fields: RowFields>(_ record: FieldValue, _ fields: inout Fields, _ scratch: ScratchMemory) -> Bool {
        guard let last, last.table.read(record, &fields, scratch) else {
            fields = Fields()
            return false
        }
        return true
    }

    func value(of record: SourceRecord) -> Opened {
        guard let framed = form.framing.value(of: record) else { return .unframed }
        if let last, last.id == framed.schema { return .record(last.table, framed.bytes) }
        let opened = open(framed)
        if case .record(let table, _) = opened { last = (framed.schema, table) }
        return opened
    }

    func key(of record: SourceRecord) -> Opened { form.framing.key(of: record).map(open) ?? .unframed }

    private func open(_ framed: SchemaFraming.Framed) -> Opened {
        if let known = known[framed.schema] { return known.map { .record($0.table, framed.bytes) } ?? .unusableSchema }
        switch form.schemas.schema(framed.schema) {
        // It may be there later: who has the schemas looks again.
        case .missing, .unasked: return .unknownSchema
        case .text(let text, let references):
            let made = (try? AvroSchema(text, references: references)).map(Known.init)
            known[framed.schema] = .some(made)
            return made.map { .record($0.table, framed.bytes) } ?? .unusableSchema
        }
    }
}

extension AvroTable.Column {
    init(_ annotation: AvroAnnotation, isText: Bool) {
        let name = annotation.connectName ?? ""
        if name == "io.debezium.data.VariableScaleDecimal" { form = .variableScale }
        if annotation.logicalType == "uuid" { form = .uuid }
        var bytes = name
        let named = bytes.withUTF8 { DeclaredType(logicalName: ByteView(UnsafeRawBufferPointer($0))) }
        if named != .none {
            declared = named
        } else if name == "org.apache.kafka.connect.data.Decimal" || annotation.logicalType == "decimal" {
            declared = Int8(exactly: annotation.scale).map { DeclaredType(.decimal, scale: $0) } ?? .none
        } else if let meaning = AvroTable.Column.meanings[annotation.logicalType ?? ""] {
            declared = DeclaredType(meaning)
        } else if isText {
            declared = DeclaredType(.text)
        }
    }

    private static let meanings: [String: DeclaredType.Meaning] = [
        "date": .days, "timestamp-millis": .instantMilliseconds, "timestamp-micros": .instantMicroseconds,
        "timestamp-nanos": .instantNanoseconds,
        "local-timestamp-millis": .milliseconds, "local-timestamp-micros": .microseconds, "local-timestamp-nanos": .nanoseconds,
    ]
}
