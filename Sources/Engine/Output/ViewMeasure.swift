/// Something measured of a group of rows, under its column's name.
public struct ViewMeasure: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case count, counted
        case distinct(String)
        case flagged(String)
        case sum(String)
        case sumOfAllRows(String)
        case mean(String)
        case greatest(String)
        case latest(String)
        case ratio(String, String)
    }

    public let name: String
    public let kind: Kind

    /// How many rows.
    public static func count(_ name: String) -> ViewMeasure { ViewMeasure(name: name, kind: .count) }
    /// The sum of what the rows count under the dimension's name, where the dimension is `eachCounted`.
    public static func counted(_ name: String) -> ViewMeasure { ViewMeasure(name: name, kind: .counted) }
    /// How many different texts, exactly.
    public static func distinct(_ name: String, of column: String) -> ViewMeasure { ViewMeasure(name: name, kind: .distinct(column)) }
    /// How many rows whose flag is set.
    public static func flagged(_ name: String, _ column: String) -> ViewMeasure { ViewMeasure(name: name, kind: .flagged(column)) }
    /// The sum of counts or money.
    public static func sum(_ name: String, of column: String) -> ViewMeasure { ViewMeasure(name: name, kind: .sum(column)) }
    /// In a view of latest rows: the sum over all rows of their owners.
    public static func sumOfAllRows(_ name: String, of column: String) -> ViewMeasure {
        ViewMeasure(name: name, kind: .sumOfAllRows(column))
    }
    /// The mean of numbers.
    public static func mean(_ name: String, of column: String) -> ViewMeasure { ViewMeasure(name: name, kind: .mean(column)) }
    public static func greatest(_ name: String, of column: String) -> ViewMeasure { ViewMeasure(name: name, kind: .greatest(column)) }
    /// The value in the group's latest row, as `ViewRows.latest` has it.
    public static func latest(_ column: String) -> ViewMeasure { ViewMeasure(name: column, kind: .latest(column)) }
    /// The quotient of two measures of the view, a sum or count by a count.
    public static func ratio(_ name: String, _ dividend: String, by divisor: String) -> ViewMeasure {
        ViewMeasure(name: name, kind: .ratio(dividend, divisor))
    }

    /// The table's column that it looks at; nil when it looks at none.
    var column: String? {
        switch kind {
        case .count, .counted, .ratio: nil
        case .distinct(let column), .flagged(let column), .sum(let column), .sumOfAllRows(let column), .mean(let column),
            .greatest(let column), .latest(let column):
            column
        }
    }
}
