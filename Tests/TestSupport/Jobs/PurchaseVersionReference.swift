import Engine
import Simulation

/// Judges rows that several versions of a purchase job wrote, by the names of their columns.
package struct PurchaseVersionReference {
    private static let plain = Dictionary(
        uniqueKeysWithValues: [
            PurchaseJob.customerTotals, PurchaseJob.shopTotals, PurchaseJob.overallTotals, PurchaseJob.visitRows,
        ].map { ($0.name, $0) })

    /// The expected rows of tables of which some versions lack columns, by what is left.
    private var shortened: [String: String] = [:]
    private var found: [String] = []
    private var marks: [String] = []
    private var expectedMarks: [String] = []
    private var differences: [String] = []

    /// What is wrong with the rows. `expected`: those of the plain computation, as `PurchaseReference` gives them. Each must be
    /// there once, as the version that its `writer` names lays it out: the columns that the plain table has with their values,
    /// what the version adds as it computes it, no other; and marks of what was written by versions that make some.
    package static func differences(_ rows: [SimulatedSink.Row], _ expected: [String]) -> [String] {
        var reference = PurchaseVersionReference(expected)
        for row in rows { reference.judge(row) }
        return reference.differences + SimulationChecks.contents(reference.found, expected)
            + SimulationChecks.contents(reference.marks, reference.expectedMarks)
    }

    private init(_ expected: [String]) {
        let lacking = PurchaseJob.shopTotals
        for text in expected where text.hasPrefix(lacking.name + " ") {
            let values = text.split(separator: " ", omittingEmptySubsequences: false).dropFirst().map(String.init)
            let left = zip(lacking.columns, values).filter { !$0.0.name.hasSuffix("Ever") }.map(\.1)
            shortened[([lacking.name] + left).joined(separator: " ")] = text
        }
    }

    private mutating func judge(_ row: SimulatedSink.Row) {
        if row.layout.name == PurchaseVersion.marks.name { return marks.append(row.text) }
        guard let plain = PurchaseVersionReference.plain[row.layout.name] else { return found.append(row.text) }
        let values = Dictionary(zip(row.layout.columns.map(\.name), row.values)) { first, _ in first }
        guard let version = values[PurchaseVersion.writer.name].flatMap({ Int($0) }).flatMap(PurchaseVersion.init(rawValue:)) else {
            return differences.append("no version wrote \(row.text)")
        }
        guard Set(row.layout.columns) == Set(version.table(plain).columns) else {
            return differences.append("version \(version) does not write such columns: \(row.text)")
        }
        if let average = values[PurchaseVersion.average.name] { judge(average, of: values, in: row) }
        let named = plain.columns.compactMap { column in values[column.name].map { PurchaseVersionReference.whole($0, of: column, in: row) }
        }
        let text = ([plain.name] + named).joined(separator: " ")
        found.append(named.count == plain.columns.count ? text : shortened[text] ?? text)
        guard version.hasMarks else { return }
        let key = values[plain.orderBy[0]] ?? ""
        expectedMarks.append("\(PurchaseVersion.marks.name) \(plain.name) \(key) \(values[plain.timeColumn] ?? "") \(version.rawValue)")
    }

    private mutating func judge(_ average: String, of values: [String: String], in row: SimulatedSink.Row) {
        guard let purchases = values["purchases"].flatMap({ Double($0) }), let total = values["total"].flatMap({ Double($0) }) else {
            return
        }
        if average != String(total / purchases) { differences.append("the average is not \(total / purchases): \(row.text)") }
    }

    /// A count that became a number is shown as one.
    private static func whole(_ value: String, of column: OutputColumn, in row: SimulatedSink.Row) -> String {
        guard row.layout.columns.contains(OutputColumn(column.name, .number)) else { return value }
        return Double(value).flatMap { Int(exactly: $0) }.map(String.init) ?? value
    }
}
