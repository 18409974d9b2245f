import Engine
import Foundation

/// Schemas as rows hold them.
enum SchemaText {
    private struct TypedName: Codable {
        let name: String
        let type: String
    }

    static func json(_ fields: [StateField]) -> String { json(fields.map { (name: $0.name, type: $0.type.rawValue) }) }

    static func json(_ typed: [(name: String, type: String)]) -> String { encoded(typed.map { TypedName(name: $0.name, type: $0.type) }) }

    static func json(_ names: [String]) -> String { encoded(names) }

    private static func encoded<Value: Encodable>(_ value: Value) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Encoding a few strings can't fail.
        let data = try! encoder.encode(value)
        return String(decoding: data, as: UTF8.self)
    }

    static func fields(fromJSON text: String) -> [StateField]? {
        guard let fields = typedNames(fromJSON: text) else { return nil }
        let known = fields.compactMap { field in StateFieldType(rawValue: field.type).map { StateField(name: field.name, type: $0) } }
        return known.count == fields.count ? known : nil
    }

    static func typedNames(fromJSON text: String) -> [(name: String, type: String)]? {
        (try? JSONDecoder().decode([TypedName].self, from: Data(text.utf8)))?.map { ($0.name, $0.type) }
    }

    static func names(fromJSON text: String) -> [String]? { try? JSONDecoder().decode([String].self, from: Data(text.utf8)) }
}
