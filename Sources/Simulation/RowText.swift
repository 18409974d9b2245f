import Engine

/// Rows as comparable text.
package enum RowText {
    /// Each row's values in the order of the chunk's columns.
    package static func rows(of chunk: OutboxChunk) -> [[String]] { rows(of: chunk, readAs: chunk.layout) }

    static func rows(of chunk: OutboxChunk, readAs layout: OutputTable) -> [[String]] {
        chunk.bytes.withUnsafeBytes { bytes in
            var reader = RowReader(ByteView(bytes))
            var rows: [[String]] = []
            while !reader.isAtEnd && !reader.failed {
                rows.append(layout.columns.map { value(of: $0.type, &reader) })
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
