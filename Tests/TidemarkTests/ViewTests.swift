import Engine
import FintechJob
import Foundation
import TestSupport
import Testing

@Suite("Every view gives what the golden rows add up to, on both versions", .serialized)
struct ViewTests {
    private static let topology = FintechJob.topology(settings: FintechSettings())

    @Test func onClickHouse18() throws { try everyView(on: ClickHouseServer()) }
    @Test func onClickHouse26() throws { try everyView(on: ChdbServer()) }

    private func everyView(on clickHouse: any TestClickHouse) throws {
        for golden in [GoldenCase.basic, .rules] {
            let log = try TemporaryDirectory("tidemark-views")
            try golden.layOutInput(in: log.path)
            let job = try JobFixture(
                .directory(log.path), clickHouse, settings: golden.name == GoldenCase.rules.name ? ["fraud.alertThreshold=0"] : [])
            let run = try job.runUntilEnd()
            #expect(run.status == 0, "\(run.errors)")
            var tables = try goldenTables(golden, job)
            let views = ViewTests.topology.views.filter { $0.span == nil }
            try check(views, job.database, ExpectedViews(tables), clickHouse, golden)

            // The same rows moved so that seven days ago lies in the midst of each table's.
            let moved = try JobFixture(.directory(log.path), clickHouse)
            #expect(try moved.run("tables").status == 0)
            let cut = Date().timeIntervalSince1970.rounded(.down) - 7 * 86_400
            for table in ViewTests.topology.tables where views.contains(where: { $0.table == table }) {
                let rows = try #require(tables[table.name])
                let seconds = Int(cut) - middleOfTheLongestSilence(rows, table.timeColumn)
                try copy(table, from: job.database, to: moved.database, later: seconds, clickHouse)
                let kept = rows.map { $0.moved(table.timeColumn, bySeconds: seconds) }.filter { $0.time(table.timeColumn) >= cut * 1000 }
                #expect(!kept.isEmpty && kept.count < rows.count, "\(table.name): seven days ago does not divide the rows")
                tables[table.name] = kept
            }
            let recent = ViewTests.topology.views.filter { $0.span != nil }
            #expect(recent.count == views.count)
            try check(recent, moved.database, ExpectedViews(tables), clickHouse, golden)
        }
    }

    private func check(
        _ views: [OutputView], _ database: String, _ expected: ExpectedViews, _ clickHouse: any TestClickHouse, _ golden: GoldenCase
    ) throws {
        #expect(!views.isEmpty)
        for view in views {
            let found = try TableRows(view.columns, of: view.name, database: database, clickHouse).rows
            let rows = try #require(expected.rows[view.name.replacing("_7d", with: "")], "\(view.name): nothing is expected of it")
            #expect(!rows.isEmpty || golden.name != GoldenCase.basic.name, "\(view.name) is not tested")
            let differences = rowDifferences(found.map(\.rounded), expected: rows.map(\.rounded))
            #expect(differences.isEmpty, "\(golden), \(view.name):\n\(differences.joined(separator: "\n"))")
            let order = found.map { $0.comparable(view.columns[view.dimension.isHour ? 0 : 1].name) }
            #expect(order == order.sorted { view.dimension.isHour ? $0 < $1 : $0 > $1 }, "\(view.name): the order")
        }
    }

    /// The golden rows of every table as this server can hold them.
    private func goldenTables(_ golden: GoldenCase, _ job: JobFixture) throws -> [String: [GoldenRow]] {
        var tables: [String: [GoldenRow]] = [:]
        for table in ViewTests.topology.tables where table != RejectedRecords.table {  // whose golden rows have no times
            tables[table.name] = try TableRows(table, database: job.database, job.clickHouse).expected(
                golden.expectedRows(of: table.name), table)
        }
        return tables
    }

    /// A time in seconds with nothing near it, so that the test may take its time.
    private func middleOfTheLongestSilence(_ rows: [GoldenRow], _ column: String) -> Int {
        let times = rows.map { $0.time(column) / 1000 }.sorted()
        let gap = zip(times, times.dropFirst()).max { $0.1 - $0.0 < $1.1 - $1.0 }!
        return Int((gap.0 + gap.1) / 2)
    }

    private func copy(_ table: OutputTable, from: String, to: String, later seconds: Int, _ clickHouse: any TestClickHouse) throws {
        let names = table.columns.map(\.name) + ["_task", "_lineage", "_batch", "_row"]
        let values = names.map { $0 == table.timeColumn ? "`\($0)` + \(seconds)" : "`\($0)`" }
        let columns = names.map { "`\($0)`" }.joined(separator: ", ")
        try clickHouse.query(
            "INSERT INTO \(to).\(table.name) (\(columns)) SELECT \(values.joined(separator: ", ")) FROM \(from).\(table.name)")
    }
}

extension ViewDimension {
    fileprivate var isHour: Bool { if case .hour = self { true } else { false } }
}

extension GoldenRow {
    func time(_ column: String) -> Double {
        guard case .number(let time)? = columns[column] else { preconditionFailure("\(column) is no time") }
        return time
    }

    fileprivate func moved(_ column: String, bySeconds seconds: Int) -> GoldenRow {
        var row = self
        row.columns[column] = .number(time(column) + Double(seconds) * 1000)
        return row
    }

    /// Numbers without the last digits, in which sums of another order may differ.
    fileprivate var rounded: GoldenRow {
        GoldenRow(
            columns: columns.mapValues { value in
                if case .number(let number) = value { .number((number * 1e8).rounded() / 1e8) } else { value }
            })
    }

    /// A number or money, to be sorted by.
    fileprivate func comparable(_ column: String) -> Double {
        switch columns[column] {
        case .number(let number)?: number
        case .text(let money)?: Double(money) ?? .nan
        default: .nan
        }
    }
}
