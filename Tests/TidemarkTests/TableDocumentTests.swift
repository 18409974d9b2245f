import Engine
import FintechJob
import Foundation
import TestSupport
import Testing

@Suite("docs/TABLES.md describes every table and view as the servers have them", .serialized)
struct TableDocumentTests {
    private static let topology = FintechJob.topology(settings: FintechSettings())

    /// A line of the page: a column, its type on a server of today, and on 18.16.
    private struct DocumentedColumn {
        let name: String
        let type: String
        let oldType: String
        let meaning: String
    }

    /// A line of the page: what a row holds in a created column of a type that its INSERT does not name.
    private struct DocumentedDefault {
        let value: String
        let oldValue: String
    }

    @Test func onClickHouse18() throws { try everyColumn(on: ClickHouseServer(), \.oldType, \.oldValue) }
    @Test func onClickHouse26() throws { try everyColumn(on: ChdbServer(), \.type, \.value) }

    private func everyColumn(
        on clickHouse: any TestClickHouse, _ type: (DocumentedColumn) -> String, _ value: (DocumentedDefault) -> String
    ) throws {
        let page = try page()
        let defaults = try defaults()
        let job = try JobFixture(.directory("/nowhere"), clickHouse)
        let run = try job.run("tables")
        #expect(run.status == 0, "\(run.errors)")
        let there = Set(try clickHouse.rows("SELECT name FROM system.tables WHERE database = '\(job.database)'").map { $0[0] })
        #expect(Set(page.keys).union(page.keys.filter(isView).map { $0 + "_7d" }) == there)
        for name in there.sorted() {
            let columns = try #require(page[name.replacing("_7d", with: "")], "\(name) is missing")
            let described = try clickHouse.rows("DESCRIBE TABLE \(job.database).\(name)").map {
                [$0[0], $0[1].replacing("\\'", with: "'")]
            }
            let documented = columns.map { [$0.name, type($0)] }
            #expect(documented.sorted { $0[0] < $1[0] } == described.sorted { $0[0] < $1[0] }, "\(name)")
            guard !isView(name.replacing("_7d", with: "")) else { continue }
            for fields in try clickHouse.rows("DESCRIBE TABLE \(job.database).\(name)") where fields[2] != "MATERIALIZED" {
                let column = try #require(columns.first { $0.name == fields[0] })
                let expected = try #require(defaults[column.type], "the default of \(column.type) is not documented")
                #expect(
                    fields[2] == "DEFAULT" && TableDocumentTests.plain(fields[3]) == value(expected), "\(name).\(column.name): \(fields)")
            }
        }
    }

    @Test func everyColumnStandsInItsDeclaredPlaceAndIsExplained() throws {
        let page = try page()
        let declared =
            TableDocumentTests.topology.tables.map { ($0.name, $0.columns) }
            + TableDocumentTests.topology.views.filter { $0.span == nil }.map { ($0.name, $0.columns) }
        #expect(Set(page.keys) == Set(declared.map(\.0)))
        for (name, columns) in declared {
            let documented = try #require(page[name])
            #expect(documented.map(\.name).prefix(columns.count) == columns.map(\.name)[...], "\(name)")
            for column in documented { #expect(column.meaning.count > 3, "\(name).\(column.name) is not explained") }
        }
    }

    /// A default as it was written: 18.16 shows it with the type that it made of it.
    private static func plain(_ expression: String) -> String {
        let text = expression.replacing("\\'", with: "'")
        return text.firstMatch(of: /^CAST\((.*?), '.*'\)$/).map { String($0.1) } ?? text
    }

    private func isView(_ name: String) -> Bool { TableDocumentTests.topology.views.contains { $0.name == name } }

    private func text() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/TABLES.md"), encoding: .utf8)
    }

    /// By type: what stands before the first table.
    private func defaults() throws -> [String: DocumentedDefault] {
        let section = try #require(try text().components(separatedBy: "\n### ").first)
        var defaults: [String: DocumentedDefault] = [:]
        for line in section.split(separator: "\n") {
            guard let cells = line.wholeMatch(of: /\| `(.+?)` \| `(.+?)` \|(?: `(.+?)`)? +\|/) else { continue }
            defaults[String(cells.1)] = DocumentedDefault(value: String(cells.2), oldValue: String(cells.3 ?? cells.2))
        }
        return defaults
    }

    /// The columns of each table and view that has a heading.
    private func page() throws -> [String: [DocumentedColumn]] {
        var columns: [String: [DocumentedColumn]] = [:]
        var name = ""
        for line in try text().split(separator: "\n") {
            if line.hasPrefix("#") {
                name = line.split(separator: "`").count > 1 ? String(line.split(separator: "`")[1]) : ""
            } else if line.hasPrefix("| `"), !name.isEmpty {
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
                let plain = cells.map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "`")) }
                columns[name, default: []].append(
                    DocumentedColumn(name: plain[1], type: plain[2], oldType: plain[3].isEmpty ? plain[2] : plain[3], meaning: cells[4])
                )
            }
        }
        return columns
    }
}
