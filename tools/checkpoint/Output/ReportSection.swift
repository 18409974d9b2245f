import Engine

/// The rows of one section of a report.
final class ReportSection {
    /// Widths are those of the first rows; what comes later may stick out.
    private static let measuredRows = 500
    /// People see this much of a value; JSON has all of it.
    private static let widestCell = 100

    private let name: String
    private let columns: [ReportColumn]
    private let format: OutputOptions.Format
    private let isNamed: Bool
    private let isVertical: Bool
    private var count = 0
    private var waiting: [[Cell]] = []
    private var widths: [Int]?
    private var isRight: [Bool] = []

    init(_ name: String, _ columns: [ReportColumn], format: OutputOptions.Format, isNamed: Bool, isVertical: Bool) {
        self.name = name
        self.columns = columns
        self.format = format
        self.isNamed = isNamed
        self.isVertical = isVertical
    }

    func row(_ cells: [Cell], to output: ResultOutput) {
        defer { count += 1 }
        switch format {
        case .json: output.write((count == 0 ? "\n" : ",\n") + object(cells, lead: nil))
        case .jsonl: output.write(object(cells, lead: isNamed ? "\"section\":\(quotedJSON(name))" : nil) + "\n")
        case .table where isVertical: vertical(cells, output)
        case .table:
            guard widths == nil else { return line(cells, output) }
            waiting.append(cells)
            if waiting.count == ReportSection.measuredRows { measure(output) }
        }
    }

    /// Writes the rows that wait to be measured.
    func flush(to output: ResultOutput) {
        if format == .table && !waiting.isEmpty { measure(output) }
    }

    func finish(to output: ResultOutput) {
        switch format {
        case .json: output.write("]")
        case .jsonl: break
        case .table:
            if count == 0 { output.write("no \(name)\n") } else if widths == nil && !isVertical { measure(output) }
        }
    }

    private func object(_ cells: [Cell], lead: String?) -> String {
        var text = "{" + (lead ?? "")
        var isFirst = lead == nil
        var group: String?
        for (column, cell) in zip(columns, cells) {
            if group != nil && column.group != group {
                text += "}"
                group = nil
            }
            if !isFirst { text += "," }
            isFirst = false
            if let wanted = column.group, group == nil {
                text += "\(quotedJSON(wanted)):{"
                group = wanted
            }
            text += "\(quotedJSON(column.name)):\(cell.json)"
        }
        return text + (group == nil ? "}" : "}}")
    }

    private func vertical(_ cells: [Cell], _ output: ResultOutput) {
        if count > 0 { output.write("\n") }
        let width = columns.map(\.name.count).max() ?? 0
        for (column, cell) in zip(columns, cells) { output.write(trimmed("\(padded(column.name, width))  \(cell.text)") + "\n") }
    }

    private func measure(_ output: ResultOutput) {
        let texts = waiting.map(shown)
        widths = columns.indices.map { column in max(words(columns[column].name).count, texts.map { $0[column].count }.max() ?? 0) }
        isRight = columns.indices.map { column in
            waiting.contains { $0[column].isNumber }
                && waiting.allSatisfy { if case .none = $0[column] { true } else { $0[column].isNumber } }
        }
        aligned(columns.map { words($0.name).uppercased() }, output)
        for cells in waiting { line(cells, output) }
        waiting = []
    }

    private func line(_ cells: [Cell], _ output: ResultOutput) { aligned(shown(cells), output) }

    /// Nothing stands behind the last column, so it may be as wide as it is.
    private func shown(_ cells: [Cell]) -> [String] {
        cells.enumerated().map { column, cell in
            let text = cell.text
            return text.count > ReportSection.widestCell && column < cells.count - 1
                ? text.prefix(ReportSection.widestCell - 1) + "…" : text
        }
    }

    private func aligned(_ texts: [String], _ output: ResultOutput) {
        let parts = texts.enumerated().map { column, text in
            let width = widths?[column] ?? 0
            return isRight[column] ? String(repeating: " ", count: max(0, width - text.count)) + text : padded(text, width)
        }
        output.write(trimmed(parts.joined(separator: "  ")) + "\n")
    }

    private func trimmed(_ text: String) -> String {
        guard let last = text.lastIndex(where: { $0 != " " }) else { return "" }
        return String(text[...last])
    }
}
