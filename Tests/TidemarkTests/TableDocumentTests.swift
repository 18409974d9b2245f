import Engine
import FintechJob
import Foundation
import Testing
import TestSupport

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

    @Test func onClickHouse18() throws { try everyColumn(on: ClickHouseServer(), \.oldType) }
    @Test func onClickHouse26() throws { try everyColumn(on: ChdbServer(), \.type) }

    private func everyColumn(on clickHouse: any TestClickHouse, _ type: (DocumentedColumn) -> String) throws {
        let page = try page()
        let job = try JobFixture(.directory("/nowhere"), clickHouse)
        let run = try job.run("tables")
        #expect(run.status == 0, "\(run.errors)")
        let there = Set(try clickHouse.rows("SELECT name FROM system.tables WHERE database = '\(job.database)'").map { $0[0] })
        #expect(Set(page.keys).union(page.keys.filter(isView).map { $0 + "_7d" }) == there)
        for name in there.sorted() {
            let columns = try #require(page[name.replacing("_7d", with: "")], "\(name) is missing")
            let described = try clickHouse.rows("DESCRIBE TABLE \(job.database).\(name)").map { [$0[0], $0[1].replacing("\\'", with: "'")] }
            let documented = columns.map { [$0.name, type($0)] }
            #expect(documented.sorted { $0[0] < $1[0] } == described.sorted { $0[0] < $1[0] }, "\(name)")
        }
    }

    @Test func everyColumnStandsInItsDeclaredPlaceAndIsExplained() throws {
        let page = try page()
        let declared = TableDocumentTests.topology.tables.map { ($0.name, $0.columns) }
            + TableDocumentTests.topology.views.filter { $0.span == nil }.map { ($0.name, $0.columns) }
        #expect(Set(page.keys) == Set(declared.map(\.0)))
        for (name, columns) in declared {
            let documented = try #require(page[name])
            #expect(documented.map(\.name).prefix(columns.count) == columns.map(\.name)[...], "\(name)")
            for column in documented { #expect(column.meaning.count > 3, "\(name).\(column.name) is not explained") }
        }
    }

    private func isView(_ name: String) -> Bool { TableDocumentTests.topology.views.contains { $0.name == name } }

    /// The columns of each table and view that has a heading.
    private func page() throws -> [String: [DocumentedColumn]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/TABLES.md"), encoding: .utf8)
        var columns: [String: [DocumentedColumn]] = [:]
        var name = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                name = line.split(separator: "`").count > 1 ? String(line.split(separator: "`")[1]) : ""
            } else if line.hasPrefix("| `") {
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
