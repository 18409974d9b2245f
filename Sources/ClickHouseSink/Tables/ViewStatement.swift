import Engine

/// The statement that creates a view over a table as it is, in SQL that every server from 18.16 on runs.
///
/// An inner query takes the table's columns under names of its own (`_0`, `_1` …): a server that finds a view's column
/// called as a column of the table would read one for the other.
struct ViewStatement {
    let text: String

    /// Throws `invalid`, saying what to do, when the table's columns can't be measured so.
    init(_ view: OutputView, database: String, columns: [String: ColumnType]) throws(SinkError) {
        try ViewStatement.check(view, columns, database)
        var query = ViewQuery(view, columns)
        let dimension = query.dimension
        let measures = view.measures.map { (name: $0.name, expression: query.expression($0)) }
        let shown = ([(view.columns[0].name, dimension)] + measures).map { "    \($1) AS \(SQLText.identifier($0))" }
        text = """
            CREATE VIEW IF NOT EXISTS \(SQLText.table(database, view.name)) AS
            SELECT
            \(shown.joined(separator: ",\n"))
            FROM (
            \(query.inner(from: SQLText.table(database, view.table.name)))
            )
            GROUP BY \(SQLText.identifier(view.columns[0].name))
            ORDER BY \(ViewStatement.order(view))
            """
    }

    private static func order(_ view: OutputView) -> String {
        let dimension = SQLText.identifier(view.columns[0].name)
        if case .hour = view.dimension { return dimension }
        return "\(SQLText.identifier(view.measures[0].name)) DESC, \(dimension)"
    }

    /// A column that is missing or of a type that the job's rows don't fit into can't be measured either.
    private static func check(_ view: OutputView, _ columns: [String: ColumnType], _ database: String) throws(SinkError) {
        let wanted =
            view.table.columns.filter { view.readColumns.contains($0.name) } + (ViewQuery.needsOrder(view) ? Provenance.columns : [])
        let misfits = wanted.filter { column in columns[column.name].flatMap { ColumnEncoding(column.type, into: $0) } == nil }.map(\.name)
        guard !misfits.isEmpty else { return }
        throw SinkError(
            .invalid,
            "\(database).\(view.table.name) has no fitting column \(misfits.joined(separator: ", ")); `tidemark check` says how to alter the table, then `tidemark tables` creates the view"
        )
    }
}

/// The parts of a view's query.
private struct ViewQuery {
    private let view: OutputView
    private let columns: [String: ColumnType]
    /// What the inner query selects, as `_0`, `_1` …
    private var selected: [String] = []

    init(_ view: OutputView, _ columns: [String: ColumnType]) {
        self.view = view
        self.columns = columns
    }

    /// Whether rows have to be told apart by which was written later.
    static func needsOrder(_ view: OutputView) -> Bool {
        if case .latest = view.rows { return true }
        return view.measures.contains { if case .latest = $0.kind { true } else { false } }
    }

    func inner(from table: String) -> String {
        var lines = ["    SELECT " + selected.enumerated().map { "\($1) AS _\($0)" }.joined(separator: ", "), "    FROM \(table)"]
        if let span = view.span {
            lines.append("    WHERE \(SQLText.identifier(view.table.timeColumn)) >= now() - INTERVAL \(span.milliseconds / 1000) SECOND")
        }
        if case .latest(let entity) = view.rows { lines.append("    GROUP BY \(SQLText.identifier(entity))") }
        return lines.joined(separator: "\n")
    }

    /// The name of an inner expression, selected once.
    private mutating func select(_ expression: String) -> String {
        let index = selected.firstIndex(of: expression) ?? selected.count
        if index == selected.count { selected.append(expression) }
        return "_\(index)"
    }

    /// A column of the rows that count, as the inner query says it.
    private func column(_ name: String) -> String {
        switch view.rows {
        case .each: SQLText.identifier(name)
        case .latest: "argMax(\(SQLText.identifier(name)), (\(order.joined(separator: ", "))))"
        }
    }

    /// What the later of two rows has more of.
    private var order: [String] {
        [view.table.timeColumn, Provenance.lineage.name, Provenance.batch.name, Provenance.row.name].map(SQLText.identifier)
    }

    var dimension: String {
        mutating get {
            switch view.dimension {
            case .column(let name): return select(column(name))
            case .eachText(_, let name): return select("arrayJoin(\(column(name)))")
            case .eachCounted(_, let name): return nameAndCount(of: name).name
            case .hour: return "toStartOfHour(toDateTime(\(select(column(view.table.timeColumn))), 'UTC'))"
            case .bands(_, let name, let bands, let otherwise):
                let value = select(column(name))
                let cases = bands.map { "\(value) >= \($0.least), \(SQLText.string($0.name))" }
                return "multiIf(\((cases + [SQLText.string(otherwise)]).joined(separator: ", ")))"
            }
        }
    }

    mutating func expression(_ measure: ViewMeasure) -> String {
        switch measure.kind {
        case .count: return "count()"
        case .counted:
            guard case .eachCounted(_, let name) = view.dimension else { preconditionFailure("\(view.name) counts by no name") }
            return "sum(\(nameAndCount(of: name).count))"
        case .distinct(let name): return "uniqExact(\(select(column(name))))"
        case .flagged(let name): return "countIf(\(select(column(name))))"
        case .sum(let name): return "sum(\(select(column(name))))"
        case .sumOfAllRows(let name): return "sum(\(select(view.rows == .each ? column(name) : "sum(\(SQLText.identifier(name)))")))"
        case .mean(let name): return "avg(\(select(column(name))))"
        case .greatest(let name): return "max(\(select(column(name))))"
        case .latest(let name):
            let value = select(column(name))
            var later: [String] = []
            for name in order { later.append(select(name)) }
            return "argMax(\(value), (\(later.joined(separator: ", "))))"
        case .ratio(let dividend, let divisor):
            return "toFloat64(\(expression(view.measure(dividend)))) / \(expression(view.measure(divisor)))"
        }
    }

    /// Each name that is counted and its count: of a map, or of a text with a JSON object, where the server has no maps.
    private mutating func nameAndCount(of name: String) -> (name: String, count: String) {
        if case .map = columns[name] {
            let pair = select("arrayJoin(arrayZip(mapKeys(\(column(name))), mapValues(\(column(name)))))")
            return ("tupleElement(\(pair), 1)", "tupleElement(\(pair), 2)")
        }
        let text = ##"(?:[^"\\]|\\.)*"##
        let pairs = SQLText.string("(\"\(text)\"\\s*:\\s*[0-9]+)")
        let pair = select("arrayJoin(extractAll(ifNull(\(column(name)), ''), \(pairs)))")
        // The quoted name once more as JSON, because only JSON's functions take its escapes out.
        let quoted = "extract(\(pair), \(SQLText.string("^(\"\(text)\")")))"
        return ("visitParamExtractString(concat('{\"_\":', \(quoted), '}'), '_')", "toUInt64(extract(\(pair), '[0-9]+$'))")
    }
}
