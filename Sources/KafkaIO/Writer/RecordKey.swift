import Engine
import Foundation

/// Finds the key of a record in its JSON value, for writing it to the partition where it belongs.
package struct RecordKey: Sendable {
    /// The field of the row that is the key.
    package let field: String

    package init(field: String) { self.field = field }

    /// The field that the records of a topic are keyed by: the streams by their customer, reference tables by `id`.
    /// A prefix of the topic's name, up to its last dot, doesn't matter.
    package static func field(ofTopic topic: String) -> String {
        switch topic.parts(at: ".").last {
        case "transactions", "customer_sessions": "customer_id"
        default: "id"
        }
    }

    /// The key's text: a string's own bytes, or a number as it is printed. nil where there is no usable one.
    ///
    /// The value is a flat row or a Debezium envelope (`after`, else `before`), either of them under `payload` or not.
    package func text(in value: ByteView) -> String? {
        guard !value.isEmpty, let parsed = try? JSONSerialization.jsonObject(with: Data(value.copy())) else { return nil }
        var row = parsed as? [String: Any]
        if let payload = row?["payload"] as? [String: Any] { row = payload }
        if let after = row?["after"] as? [String: Any] {
            row = after
        } else if let before = row?["before"] as? [String: Any] {
            row = before
        }
        switch row?[field] {
        case let text as String: return text.isEmpty ? nil : text
        case let number as NSNumber where !Self.isBoolean(number): return number.stringValue
        default: return nil
        }
    }

    /// JSONSerialization gives `true` as a number of C's char type.
    private static func isBoolean(_ number: NSNumber) -> Bool { number.objCType.pointee == 0x63 }
}
