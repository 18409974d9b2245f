/// A question that dashboards ask of an output table again and again, answered by the sink's server: the table's rows
/// grouped by one dimension, and what is measured of each group.
///
/// ```swift
/// OutputView("clicks_by_country", of: clicks, by: .column("country"), measuring: [.count("clicks"), .distinct("pages", of: "page")])
/// ```
///
/// Groups come in the order of the first measure, the greatest first; by hour, the earliest first.
public struct OutputView: Hashable, Sendable {
    public let name: String
    public let table: OutputTable
    public let dimension: ViewDimension
    /// What a row counts as.
    public let rows: ViewRows
    public let measures: [ViewMeasure]
    /// nil: all rows count; else only those whose time column lies no longer than this before the server's now.
    public let span: EventSpan?

    public init(
        _ name: String, of table: OutputTable, by dimension: ViewDimension, counting rows: ViewRows = .each,
        measuring measures: [ViewMeasure],
        span: EventSpan? = nil
    ) {
        self.name = name
        self.table = table
        self.dimension = dimension
        self.rows = rows
        self.measures = measures
        self.span = span
        let names = columns.map(\.name)
        precondition(Set(names).count == names.count, "view \(name): a column's name is used twice")
        precondition(columns.count > 1, "view \(name): it measures nothing")
        precondition(
            readColumns.isSubset(of: table.columns.map(\.name)), "view \(name): \(table.name) has not all of \(readColumns.sorted())")
        precondition(
            span.map { $0.milliseconds > 0 && $0.milliseconds % 1000 == 0 } ?? true, "view \(name): its span is no number of seconds")
    }

    /// The same over the rows of the last `span`, under another name.
    package func over(_ span: EventSpan, named name: String) -> OutputView {
        OutputView(name, of: table, by: dimension, counting: rows, measuring: measures, span: span)
    }

    /// What the view shows: the dimension, then the measures.
    package var columns: [OutputColumn] { [dimensionColumn] + measures.map { OutputColumn($0.name, type(of: $0)) } }

    /// The table's columns that the view reads.
    package var readColumns: Set<String> {
        var names: Set<String> = [table.timeColumn]
        names.formUnion(measures.compactMap(\.column))
        switch dimension {
        case .column(let column), .eachText(_, let column), .eachCounted(_, let column), .bands(_, let column, _, _): names.insert(column)
        case .hour: break
        }
        if case .latest(let entity) = rows { names.insert(entity) }
        return names
    }

    /// The measure of this name.
    package func measure(_ name: String) -> ViewMeasure {
        guard let found = measures.first(where: { $0.name == name }) else {
            preconditionFailure("view \(self.name): it has no measure \(name)")
        }
        return found
    }

    private var dimensionColumn: OutputColumn {
        switch dimension {
        case .column(let column): OutputColumn(column, type(of: column))
        case .eachText(let name, let column): OutputColumn(name, required(.texts, column, gives: .text))
        case .eachCounted(let name, let column): OutputColumn(name, required(.textCounts, column, gives: .text))
        case .bands(let name, let column, _, _): OutputColumn(name, required(.number, column, gives: .text))
        case .hour(let name): OutputColumn(name, .time)
        }
    }

    private func type(of measure: ViewMeasure) -> OutputType {
        switch measure.kind {
        case .count: return .count
        case .counted:
            guard case .eachCounted = dimension else { preconditionFailure("view \(name): \(measure.name) counts by no name") }
            return .count
        case .distinct(let column): return required(.text, column, gives: .count)
        case .flagged(let column): return required(.flag, column, gives: .count)
        case .mean(let column): return required(.number, column, gives: .number)
        case .greatest(let column): return type(of: column)
        case .latest(let column):
            precondition(rows == .each, "view \(name): \(measure.name) is of the latest rows anyway")
            return type(of: column)
        case .sum(let column), .sumOfAllRows(let column): return sumType(column)
        case .ratio(let dividend, let divisor):
            let types = [type(of: self.measure(dividend)), type(of: self.measure(divisor))]
            precondition(types == [.sum, .count] || types == [.count, .count], "view \(name): \(measure.name) can't divide \(types)")
            return .number
        }
    }

    private func sumType(_ column: String) -> OutputType {
        switch type(of: column) {
        case .count: .count
        case .amount, .sum: .sum
        case .number, .text, .flag, .time, .textCounts, .texts: mismatch(column)
        }
    }

    private func type(of column: String) -> OutputType {
        guard let found = table.columns.first(where: { $0.name == column }) else {
            preconditionFailure("view \(name): \(table.name) has no column \(column)")
        }
        return found.type
    }

    private func required(_ wanted: OutputType, _ column: String, gives type: OutputType) -> OutputType {
        self.type(of: column) == wanted ? type : mismatch(column)
    }

    private func mismatch(_ column: String) -> OutputType {
        preconditionFailure("view \(name): the type of \(column) can't be measured so")
    }
}

/// What the rows of a view are grouped by. The first name is the view's column, the second the table's.
public enum ViewDimension: Hashable, Sendable {
    /// The value of a column, under its name.
    case column(String)
    /// Each text of a `texts` column: a row stands in the group of each.
    case eachText(String, in: String)
    /// Each name of a `textCounts` column: a row stands in the group of each.
    case eachCounted(String, in: String)
    /// The hour of the time column, UTC.
    case hour(String)
    /// The name of the first band whose least value a `number` reaches, else `otherwise`.
    case bands(String, of: String, [ViewBand], otherwise: String)
}

/// A band of a number: from `least` on.
public struct ViewBand: Hashable, Sendable {
    public let least: Int
    public let name: String

    public init(from least: Int, _ name: String) {
        self.least = least
        self.name = name
    }
}

/// Which rows a view groups.
public enum ViewRows: Hashable, Sendable {
    case each
    /// The latest row of each value of a column: the one with the greatest time, of equal ones the last written.
    case latest(of: String)
}
