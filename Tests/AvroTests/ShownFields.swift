import Avro
import Engine
import TestSupport

/// All fields of a record, as text in order; records in it in brackets.
struct ShownFields: AvroFields {
    let plan: AvroPlan
    var fields: [String] = []

    mutating func take(_ name: ByteView, _ value: AvroValue) { fields.append("\(name.text)=\(ShownFields.text(value, plan))") }

    static func text(_ value: AvroValue, _ plan: AvroPlan) -> String {
        switch value.kind {
        case .null: return "null"
        case .true: return "true"
        case .false: return "false"
        case .integer: return "\(value.integer)"
        case .double: return "\(value.double)"
        case .bytes: return "bytes " + value.bytes.buffer.map { String($0) }.joined(separator: ".")
        case .text: return "'\(value.bytes.text)'"
        case .record:
            var fields = ShownFields(plan: plan)
            return plan.read(value, &fields) ? "{\(fields.fields.joined(separator: " "))}" : "{malformed}"
        case .array: return "[\(value.bytes.count) bytes]"
        case .map: return "<\(value.bytes.count) bytes>"
        }
    }

    /// What a schema makes of a record's bytes; `malformed` when it refuses them.
    static func read(_ bytes: [UInt8], by schema: AvroSchema) -> String {
        withGuardedBytes(bytes) { bytes in
            var fields = ShownFields(plan: schema.plan)
            guard let value = schema.plan.read(bytes, &fields) else { return "malformed" }
            return value.kind == .record ? "{\(fields.fields.joined(separator: " "))}" : text(value, schema.plan)
        }
    }
}
