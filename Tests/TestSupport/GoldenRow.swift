import Engine
import Foundation

/// A row of an output table, column by column, to be compared by value.
package struct GoldenRow: Hashable, Sendable {
    package var columns: [String: GoldenValue]

    package init(columns: [String: GoldenValue]) { self.columns = columns }

    /// A row as a JSON object, such as a line of a golden file.
    package init(json: Data) throws {
        columns = try JSONDecoder().decode([String: GoldenValue].self, from: json)
    }

    /// The rows of a table that an engine wrote, in order.
    package static func rows(of table: OutputTable, in chunks: [OutboxChunk]) throws -> [GoldenRow] {
        var rows: [GoldenRow] = []
        for chunk in chunks where chunk.id.table == table.name {
            try chunk.bytes.withUnsafeBytes { bytes in
                var reader = RowReader(ByteView(bytes))
                while !reader.isAtEnd {
                    var row = GoldenRow(columns: [:])
                    for column in table.columns { row.columns[column.name] = GoldenValue(&reader, column.type) }
                    rows.append(row)
                }
                guard !reader.failed else { throw GoldenError(description: "the rows of \(chunk.id) are damaged") }
            }
        }
        return rows
    }

    /// The row as the golden files show a table's rows: without what they leave out, JSON texts as objects.
    package func shownInGolden() throws -> GoldenRow {
        var shown = self
        for column in ["_task", "_lineage", "_batch", "_row", "date", "hour", "key", "payload", "rejectedAt"] {
            shown.columns[column] = nil
        }
        if case .text(let details) = columns["fraudDetails"] {
            shown.columns["fraudDetails"] = try JSONDecoder().decode(GoldenValue.self, from: Data(details.utf8))
        }
        return shown
    }
}

/// A value of a column. Numbers are compared by value, so that 1 and 1.0 are the same.
package enum GoldenValue: Hashable, Sendable, Decodable, CustomStringConvertible {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([GoldenValue])
    case object([String: GoldenValue])

    package init(from decoder: any Decoder) throws {
        // JSONSerialization rounds numbers by way of decimals; this reads each as the nearest Double.
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            // A try that fails is slow, and most values are texts and numbers.
            self = .text(text)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let list = try? value.decode([GoldenValue].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: GoldenValue].self))
        }
    }

    /// The next value of an encoded row.
    init(_ reader: inout RowReader, _ type: OutputType) {
        switch type {
        case .text: self = .text(reader.text().text)
        case .count: self = .number(Double(reader.count()))
        case .number: self = .number(reader.number())
        case .flag: self = .flag(reader.flag())
        case .time: self = .number(Double(reader.time().milliseconds))
        case .amount: self = .text(GoldenValue.money(cents: Int128(reader.amount())))
        case .sum: self = .text(GoldenValue.money(cents: reader.sum()))
        case .textCounts:
            var counts: [String: GoldenValue] = [:]
            TextCounts.forEach(in: reader.textCounts()) { counts[$0.text] = .number(Double($1)) }
            self = .object(counts)
        case .texts:
            var texts: [GoldenValue] = []
            RowReader.forEachText(in: reader.texts()) { texts.append(.text($0.text)) }
            self = .list(texts)
        }
    }

    package static func money(cents: Int128) -> String {
        let digits = String(cents.magnitude)
        let padded = String(repeating: "0", count: max(3 - digits.count, 0)) + digits
        return (cents < 0 ? "-" : "") + padded.dropLast(2) + "." + padded.suffix(2)
    }

    package var description: String {
        switch self {
        case .null: "null"
        case .flag(let flag): String(flag)
        case .number(let number): number.rounded() == number && abs(number) < 1e15 ? String(Int64(number)) : String(number)
        case .text(let text): "'\(text)'"
        case .list(let list): "[" + list.map(\.description).joined(separator: ", ") + "]"
        case .object(let object): "{" + object.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
        }
    }
}
