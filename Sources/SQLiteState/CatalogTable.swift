import Engine
import Foundation

/// A stored state table as its row says.
struct CatalogTable {
    let id: Int64
    let stored: StoredStateTable
    /// Of a fallback: the fields that its writer does not know.
    let carried: [String]

    var schema: StateSchema { stored.schema }

    static func all(in database: Database) throws -> [CatalogTable] {
        // A file of format 1 is only looked at like this, not gone on from: opening it for a job brings it to the newest.
        let added =
            try database.integer("PRAGMA user_version") == 1
            ? "NULL, 'current', (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'job_version'), NULL, NULL"
            : "window_span, role, job_version, carried, removed_in"
        let row = try Statement(
            database, "SELECT id, stage, name, version, key_kind, has_timer, fields, \(added) FROM state_table ORDER BY id")
        var tables: [CatalogTable] = []
        while try row.step() {
            guard let kind = StateKeyKind(rawValue: row.text(4)), let fields = SchemaText.fields(fromJSON: row.text(6)),
                let role = StoredStateTable.Role(rawValue: row.text(8)),
                let carried = row.isNull(10) ? [] : SchemaText.names(fromJSON: row.text(10))
            else {
                throw StateError(
                    .incompatible,
                    "state table \(row.text(2)) in \(database.path) has a key, fields or a role that this version does not know; use the version that wrote it, or a newer one"
                )
            }
            let schema = StateSchema(
                table: row.text(2), version: try row.version(3), key: kind, hasTimer: row.integer(5) != 0,
                span: row.isNull(7) ? nil : EventSpan(milliseconds: try row.number(7, 0...StoredBounds.clock.upperBound)), fields: fields
            )
            let stored = StoredStateTable(
                stage: StageName(row.text(1)), schema: schema, role: role, since: row.isNull(9) ? 0 : try row.version(9),
                removedIn: row.isNull(11) ? nil : try row.version(11)
            )
            tables.append(CatalogTable(id: try row.rowNumber(0), stored: stored, carried: carried))
        }
        return tables
    }
}

/// An earlier version's copy of a table, and how records become what it holds.
struct Fallback {
    let id: Int64
    let mapping: RecordMapping
}

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
