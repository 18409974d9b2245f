import Foundation
import Testing

/// The settings that docs/DEBEZIUM.md shows, as they stand there.
struct DebeziumPage {
    /// What the page has run in the database.
    let databaseSQL: String
    /// The connector's configuration, its name included.
    let connector: [String: String]
    /// What it is changed by to get flat rows.
    let flatRows: [String: String]
    /// What it is changed by to get Avro.
    let avro: [String: String]
    /// The job's, as `key=value`.
    let jobSettings: [String]
    /// What the job gets beside for Avro.
    let avroJobSettings: [String]

    private struct Connector: Decodable {
        let name: String
        let config: [String: String]
    }

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/DEBEZIUM.md"), encoding: .utf8)
        func block(_ language: String, below heading: String) throws -> Data {
            let section = try #require(page.components(separatedBy: "\n\(heading)\n").dropFirst().first, "the page has no \(heading)")
            let block = try #require(
                section.components(separatedBy: "\n```\(language)\n").dropFirst().first, "\(heading) has no block of \(language)")
            return Data(try #require(block.components(separatedBy: "\n```").first).utf8)
        }
        databaseSQL = String(decoding: try block("sql", below: "## The database"), as: UTF8.self)
        let shown = try JSONDecoder().decode(Connector.self, from: block("json", below: "## The connector"))
        connector = shown.config.merging(["name": shown.name]) { $1 }
        flatRows = try JSONDecoder().decode([String: String].self, from: block("json", below: "## Flat rows"))
        let properties = String(decoding: try block("properties", below: "## Avro"), as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "=", maxSplits: 1).map(String.init)
        }
        avro = Dictionary(uniqueKeysWithValues: properties.map { ($0[0], $0[1]) })
        avroJobSettings = try DebeziumPage.settings(String(decoding: block("yaml", below: "## Avro"), as: UTF8.self))
        jobSettings = try DebeziumPage.settings(String(decoding: block("yaml", below: "## The job"), as: UTF8.self))
    }

    /// The leaves of a YAML map that is nothing but keys and plain values.
    private static func settings(_ yaml: String) throws -> [String] {
        var keys: [String] = []
        return try yaml.split(separator: "\n").compactMap { line in
            let text = line.drop { $0 == " " }
            let parts = try #require(text.firstMatch(of: /^([\w.]+):(?: ([^#]+?))?(?: +#.*)?$/), "not a plain line: \(line)")
            keys = keys.prefix((line.count - text.count) / 2) + [String(parts.1)]
            return parts.2.map { "\(keys.joined(separator: "."))=\($0)" }
        }
    }
}
