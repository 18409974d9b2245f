import Engine
import Foundation
import TestSupport

/// A table's rows as ClickHouse holds them, in the form of the golden files.
struct TableRows {
    let rows: [GoldenRow]
    /// True when the table keeps whole seconds only.
    let isInSeconds: Bool

    init(_ table: OutputTable, database: String, _ clickHouse: any TestClickHouse) throws {
        try self.init(table.columns, of: table.name, database: database, clickHouse)
    }

    /// The columns of a table or view.
    init(_ columns: [OutputColumn], of name: String, database: String, _ clickHouse: any TestClickHouse) throws {
        let types = try clickHouse.rows("SELECT name, type FROM system.columns WHERE database = '\(database)' AND table = '\(name)'")
        let isFine = Set(types.filter { $0[1].hasPrefix("DateTime64") }.map { $0[0] })
        isInSeconds = isFine.isEmpty
        let expressions = columns.map { column in
            let name = "`\(column.name)`"
            return switch column.type {
            case .text, .textCounts, .texts: name
            case .count, .amount, .sum: "toString(\(name))"
            // The bits, because servers differ in how they write a Float64.
            case .number: "toString(reinterpretAsUInt64(reinterpretAsString(\(name))))"
            case .flag: "toUInt8(\(name))"
            case .time: isFine.contains(column.name) ? "toString(toUnixTimestamp64Milli(\(name)))" : "toUInt32(\(name)) * 1000"
            }
        }
        let text = try clickHouse.query(
            "SELECT \(expressions.joined(separator: ", ")) FROM \(database).\(name) FORMAT JSONCompact",
            settings: "output_format_json_quote_64bit_integers=0"
        )
        let answer = try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
        rows = try answer.data.map { values in
            var row = GoldenRow(columns: [:])
            for (column, value) in zip(columns, values) {
                row.columns[column.name] = try TableRows.golden(value, column.type)
            }
            return try row.shownInGolden()
        }
    }

    private struct Answer: Decodable {
        let data: [[GoldenValue]]
    }

    private static func golden(_ value: GoldenValue, _ type: OutputType) throws -> GoldenValue {
        switch (type, value) {
        case (.number, .text(let bits)): .number(Double(bitPattern: UInt64(bits) ?? 0))
        case (.count, .text(let digits)), (.time, .text(let digits)): .number(Double(digits) ?? .nan)
        case (.flag, .number(let number)): .flag(number != 0)
        case (.amount, .text(let amount)), (.sum, .text(let amount)): .text(twoDecimals(amount))
        case (.textCounts, .text(let json)): try JSONDecoder().decode(GoldenValue.self, from: Data(json.utf8))
        default: value
        }
    }

    /// Newer servers leave trailing zeros out.
    private static func twoDecimals(_ amount: String) -> String {
        let parts = amount.split(separator: ".", omittingEmptySubsequences: false)
        let decimals = parts.count > 1 ? String(parts[1]) : ""
        return parts[0] + "." + decimals + String(repeating: "0", count: max(0, 2 - decimals.count))
    }

    /// What golden rows look like in this table: times in whole seconds where it has no others.
    func expected(_ golden: [GoldenRow], _ table: OutputTable) -> [GoldenRow] {
        guard isInSeconds else { return golden }
        return golden.map { row in
            var cut = row
            for column in table.columns where column.type == .time {
                if case .number(let time)? = row.columns[column.name] {
                    cut.columns[column.name] = .number((time / 1000).rounded(.down) * 1000)
                }
            }
            return cut
        }
    }
}

extension JobFixture {
    /// What is wrong with a table's provenance: rows that share their name, batches whose rows don't count from 0.
    func provenanceProblems(_ table: String) throws -> [String] {
        var problems: [String] = []
        let name = "\(database).\(table)"
        let counts = try clickHouse.rows("SELECT count(), uniqExact(_task, _lineage, _batch, _row) FROM \(name)")[0]
        if counts[0] != counts[1] { problems.append("\(table): \(counts[0]) rows, but \(counts[1]) names") }
        let gaps = try clickHouse.rows(
            "SELECT _batch, count(), max(_row) FROM \(name) GROUP BY _task, _lineage, _batch HAVING count() != max(_row) + 1")
        problems += gaps.map { "\(table): batch \($0[0]) has \($0[1]) rows, the greatest numbered \($0[2])" }
        let batches = try clickHouse.rows("SELECT uniqExact(_batch), max(_batch) FROM \(name)")[0]
        if batches[0] != batches[1] { problems.append("\(table): \(batches[0]) batches, the greatest numbered \(batches[1])") }
        return problems
    }
}
