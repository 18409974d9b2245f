import Avro
import Engine

/// A schema of a topic's records, and what its types mean to the job.
struct AvroTable: BitwiseCopyable {
    /// What becomes of a type's values beside what they are.
    enum Form: UInt8, BitwiseCopyable {
        case plain
        /// A record of a decimal and its scale.
        case variableScale
        /// Sixteen bytes that stand for a text.
        case uuid
    }

    struct Column: BitwiseCopyable {
        var declared = DeclaredType.none
        var form = Form.plain
    }

    let plan: AvroPlan
    /// By the number of the type.
    let columns: UnsafePointer<Column>

    /// Hands the fields of a record that fills the bytes to `fields`, and returns what stands there; nil when it is malformed.
    func read<Fields: RowFields>(_ bytes: ByteView, _ fields: inout Fields, _ scratch: ScratchMemory) -> FieldValue? {
        var row = AvroRow(fields, table: self, scratch: scratch)
        guard let value = plan.read(bytes, &row) else { return nil }
        fields = row.fields
        return field(value, scratch)
    }

    /// Hands the fields of a record in a record to `fields`; false when it is malformed.
    func read<Fields: RowFields>(_ record: FieldValue, _ fields: inout Fields, _ scratch: ScratchMemory) -> Bool {
        var row = AvroRow(fields, table: self, scratch: scratch)
        guard record.kind == .record, plan.read(AvroValue(record: record.type, bytes: record.bytes), &row) else { return false }
        fields = row.fields
        return true
    }

    @inline(__always)
    func field(_ value: AvroValue, _ scratch: ScratchMemory) -> FieldValue {
        let column = columns[Int(value.type)]
        switch value.kind {
        case .null: return FieldValue(kind: .null, bytes: .null)
        case .true: return FieldValue(kind: .true, bytes: .null)
        case .false: return FieldValue(kind: .false, bytes: .null)
        case .integer: return FieldValue(kind: .integer, declared: column.declared, bytes: ByteView(start: nil, count: Int(value.integer)))
        case .double: return .double(value.double)
        case .text: return FieldValue(kind: .string, declared: column.declared, bytes: value.bytes)
        case .bytes where column.form == .uuid:
            return FieldValue(kind: .string, declared: column.declared, bytes: uuidText(of: value.bytes, scratch))
        case .bytes: return FieldValue(kind: .bytes, declared: column.declared, bytes: value.bytes)
        case .record where column.form == .variableScale: return variableScale(value, scratch)
        case .record: return FieldValue(kind: .record, type: value.type, bytes: value.bytes)
        // No column that is used is one.
        case .array, .map: return FieldValue(kind: .array, bytes: .null)
        }
    }

    private func variableScale(_ value: AvroValue, _ scratch: ScratchMemory) -> FieldValue {
        var fields = VariableScaleFields()
        let unusable = FieldValue(kind: .record, type: value.type, bytes: value.bytes)
        guard read(unusable, &fields, scratch), fields.scale.kind == .integer, let scale = Int8(exactly: fields.scale.integer),
            fields.value.kind == .bytes
        else { return unusable }
        return FieldValue(kind: .bytes, declared: DeclaredType(.decimal, scale: scale), bytes: fields.value.bytes)
    }
}

/// The fields of a record of a row, as the row takes them.
struct AvroRow<Fields: RowFields>: AvroFields {
    var fields: Fields
    let table: AvroTable
    // The decoder keeps it alive while it reads a record.
    private unowned(unsafe) let scratch: ScratchMemory

    init(_ fields: Fields, table: AvroTable, scratch: ScratchMemory) {
        self.fields = fields
        self.table = table
        self.scratch = scratch
    }

    @inline(__always)
    mutating func take(_ name: ByteView, _ value: AvroValue) { fields.take(name, table.field(value, scratch)) }
}

private struct VariableScaleFields: RowFields {
    var scale = FieldValue.absent
    var value = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if key == "scale" { scale = value }
        if key == "value" { self.value = value }
    }
}

/// `01234567-89ab-cdef-0123-456789abcdef`; the null view for anything but sixteen bytes.
private func uuidText(of bytes: ByteView, _ scratch: ScratchMemory) -> ByteView {
    guard bytes.count == 16 else { return .null }
    let text = scratch.allocate(36)
    var at = 0
    for (index, byte) in bytes.buffer.enumerated() {
        if index == 4 || index == 6 || index == 8 || index == 10 {
            text[at] = UInt8(ascii: "-")
            at += 1
        }
        for digit in [byte >> 4, byte & 0xF] {
            text[at] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            at += 1
        }
    }
    return ByteView(start: text, count: 36)
}
