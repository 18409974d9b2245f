import Engine

/// Versions of a purchase job that follow each other, forward and back: they compute the same over the same state, and lay out
/// their tables and the messages between their stages differently.
///
/// A row says in `writer` which version wrote it, so that it can be judged whatever it was delivered as.
package enum PurchaseVersion: Int, CaseIterable, Sendable {
    case first = 1
    /// Columns and fields of the same size change places: who reads one layout as another finds no damage, but wrong values.
    case reordered
    /// A column, a table and a field are added.
    case extended
    /// Columns are retyped and removed, and the table is gone again.
    case retyped

    static let writer = OutputColumn("writer", .count)
    /// Of a purchase, beside the columns that it is computed from.
    static let average = OutputColumn("average", .number)
    /// A row for each row of the other tables, in the versions that have the table.
    static let marks = OutputTable(
        "marks", timeColumn: "eventTime", orderBy: ["key", "eventTime"],
        columns: [
            OutputColumn("of", .text), OutputColumn("key", .text), OutputColumn("eventTime", .time), writer,
        ])

    var hasMarks: Bool { self == .reordered || self == .extended }

    /// A table as this version declares it.
    func table(_ plain: OutputTable) -> OutputTable {
        let columns: [OutputColumn] =
            switch self {
            case .first: plain.columns + [PurchaseVersion.writer]
            case .reordered:
                plain.columns.filter { $0.type == .text }.reversed() + plain.columns.filter { $0.type != .text }.reversed() + [
                    PurchaseVersion.writer
                ]
            case .extended: [PurchaseVersion.average] + plain.columns + [PurchaseVersion.writer]
            case .retyped:
                [PurchaseVersion.writer] + plain.columns.filter { !$0.name.hasSuffix("Ever") }.map { OutputColumn($0.name, retyped($0)) }
            }
        return OutputTable(plain.name, timeColumn: plain.timeColumn, orderBy: plain.orderBy, columns: columns)
    }

    private func retyped(_ column: OutputColumn) -> OutputType {
        switch column.type {
        case .amount: .sum
        case .count: column.name == "customers" ? .number : .text
        default: column.type
        }
    }

    /// How partials are laid out. A later version has all fields of an earlier one, so that the earlier one reads them by their names.
    var partials: MessageLayout {
        let evolution =
            switch self {
            case .first: StateEvolution.none
            case .reordered: StateEvolution.from(1)
            case .extended: StateEvolution.from(1).from(2).adding("sender")
            case .retyped: StateEvolution.from(1).from(2).adding("sender").from(3)
            }
        return MessageLayout(version: rawValue, fields: partialFields.map(\.field), evolution: evolution)
    }

    var partialFields: [PartialField] {
        switch self {
        case .first: [.start, .purchases, .total, .customers]
        case .reordered: [.start, .customers, .total, .purchases]
        case .extended: [.sender, .purchases, .total, .customers, .start]
        case .retyped: [.total, .sender, .customers, .start, .purchases]
        }
    }

    /// Two versions each forward purchases in one of two layouts.
    var forwardsShopsFirst: Bool { self == .reordered || self == .extended }
}

/// What a partial consists of.
enum PartialField: String {
    case start, purchases, total, customers
    /// The version that sent it; 0 when that did not say.
    case sender

    var field: StateField {
        switch self {
        case .start: StateField(name: rawValue, type: .time)
        case .total: StateField(name: rawValue, type: .signed)
        case .purchases, .customers, .sender: StateField(name: rawValue, type: .unsigned)
        }
    }

    static let plain: [PartialField] = [.start, .purchases, .total, .customers]
}
