import Engine

/// What a verb found: facts, then sections of rows, written as they come.
///
/// As JSON, one document: `{"schema": "tidemark.checkpoint.<verb>/<version>", <facts>, "<section>": [<rows>]}`. As JSON
/// lines, first `{"schema": …, <facts>}`, then a line a row, with `"section"` where the verb has several.
final class Report {
    private let verb: String
    private let version: Int
    private let format: OutputOptions.Format
    private let hasSections: Bool
    private let output = ResultOutput()
    private var facts: [(name: String, value: Cell)] = []
    private var hasBegun = false
    private var section: ReportSection?

    /// `hasSections`: the verb writes more than one section, so that lines say which they belong to.
    init(_ verb: String, version: Int = 1, _ options: OutputOptions, hasSections: Bool = false) {
        self.verb = verb
        self.version = version
        self.format = options.format
        self.hasSections = hasSections
    }

    /// Adds a fact; all of them before the first section.
    func fact(_ name: String, _ value: Cell) { facts.append((name, value)) }

    /// Begins a section of rows with these columns; `isVertical`: people see a row's values below each other.
    func section(_ name: String, _ columns: [ReportColumn], isVertical: Bool = false) {
        begin()
        endSection()
        section = ReportSection(name, columns, format: format, isNamed: hasSections, isVertical: isVertical)
        if format == .json { output.write(",\n\(quotedJSON(name)):[") }
        if format == .table && !(facts.isEmpty && !hasSections) { output.write("\n") }
    }

    func row(_ cells: [Cell]) { section?.row(cells, to: output) }

    /// Writes what there is now, for somebody who watches.
    func flush() {
        begin()
        section?.flush(to: output)
        output.flush()
    }

    func finish() {
        begin()
        endSection()
        if format == .json { output.write("}\n") }
        output.flush()
    }

    private func endSection() {
        section?.finish(to: output)
        section = nil
    }

    private func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        let schema = [("schema", Cell.text("tidemark.checkpoint.\(verb)/\(version)"))] + facts.map { ($0.name, $0.value) }
        let members = schema.map { "\(quotedJSON($0.0)):\($0.1.json)" }.joined(separator: ",")
        switch format {
        case .json: output.write("{" + members)
        case .jsonl: output.write("{" + members + "}\n")
        case .table:
            let width = facts.map { words($0.name).count }.max() ?? 0
            for fact in facts where !fact.value.text.isEmpty { output.write("\(padded(words(fact.name), width))  \(fact.value.text)\n") }
        }
    }
}

/// A column of a section.
struct ReportColumn {
    let name: String
    /// In JSON it lies below this name; a field of a record, for one.
    let group: String?

    init(_ name: String, in group: String? = nil) {
        self.name = name
        self.group = group
    }
}

/// A text and spaces up to a width.
func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

/// `lastFrozen` in words: `last frozen`.
func words(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? " " + $1.lowercased() : String($1) }
}
