import Engine

/// Rows as comparable text: the table's name and the values in order.
public enum RowText {
    public static func rows(of chunk: OutboxChunk) -> [String] {
        let table = chunk.layout
        return chunk.bytes.withUnsafeBytes { bytes in
            var reader = RowReader(ByteView(bytes))
            var rows: [String] = []
            while !reader.isAtEnd && !reader.failed {
                rows.append(([table.name] + table.columns.map { value(of: $0.type, &reader) }).joined(separator: " "))
            }
            return rows
        }
    }

    private static func value(of type: OutputType, _ reader: inout RowReader) -> String {
        switch type {
        case .text: return reader.text().text
        case .count: return String(reader.count())
        case .number: return String(reader.number())
        case .flag: return String(reader.flag())
        case .time: return String(reader.time().milliseconds)
        case .amount: return String(reader.amount())
        case .sum: return String(reader.sum())
        case .textCounts:
            var counts: [String] = []
            TextCounts.forEach(in: reader.textCounts()) { counts.append("\($0.text):\($1)") }
            return counts.sorted().joined(separator: ",")
        case .texts:
            var texts: [String] = []
            RowReader.forEachText(in: reader.texts()) { texts.append($0.text) }
            return texts.joined(separator: ",")
        }
    }
}
