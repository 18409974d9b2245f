/// A table that a job writes: its name, its columns in order, and what a sink needs to create it.
///
/// It is the layout of its rows, too: rows that wait keep the table as it was declared when they were written, whatever the
/// present version of the job declares.
public struct OutputTable: Hashable, Sendable {
    public let name: String
    public let columns: [OutputColumn]
    /// The time column that the table is partitioned by; it must be one of `columns`, of type `time`.
    public let timeColumn: String
    /// The sorting key, by column name.
    public let orderBy: [String]
    /// What a topic of this table's rows is called, without the prefix that a configuration gives it.
    public let topic: String
    /// The text column whose value is the key of a row in a topic; nil: rows have none.
    public let keyColumn: String?

    /// `topic`: nil for the table's own name.
    public init(
        _ name: String, timeColumn: String, orderBy: [String], topic: String? = nil, keyColumn: String? = nil, columns: [OutputColumn]
    ) {
        self.init(unchecked: name, timeColumn, orderBy, topic ?? name, keyColumn, columns)
        let problem = problem
        precondition(problem == nil, "table \(name): \(problem!)")
    }

    /// As a state keeps it; nil when these parts make no table.
    package init?(stored name: String, timeColumn: String, orderBy: [String], topic: String, keyColumn: String?, columns: [OutputColumn]) {
        self.init(unchecked: name, timeColumn, orderBy, topic, keyColumn, columns)
        if problem != nil { return nil }
    }

    private init(
        unchecked name: String, _ timeColumn: String, _ orderBy: [String], _ topic: String, _ keyColumn: String?, _ columns: [OutputColumn]
    ) {
        self.name = name
        self.columns = columns
        self.timeColumn = timeColumn
        self.orderBy = orderBy
        self.topic = topic
        self.keyColumn = keyColumn
    }

    /// Why the parts make no table; nil when they do.
    private var problem: String? {
        let names = Set(columns.map(\.name))
        if names.count != columns.count { return "a column's name is used twice" }
        if !columns.contains(where: { $0.name == timeColumn && $0.type == .time }) { return "\(timeColumn) is no time column" }
        if !names.isSuperset(of: orderBy) { return "an unknown column in its sorting key" }
        if let unplain = ([name] + columns.map(\.name)).first(where: { !PlainName.isPlain($0) }) {
            return "\(unplain.printable) is no name of letters, digits, dots, dashes and underscores"
        }
        if !topic.isEmpty && !PlainName.isPlain(topic) { return "\(topic.printable) is no name of a topic" }
        if let keyColumn, !columns.contains(where: { $0.name == keyColumn && $0.type == .text }) { return "\(keyColumn) is no text column" }
        return nil
    }

    package var timeColumnIndex: Int { columns.firstIndex { $0.name == timeColumn }! }
}

/// One column of an output table.
public struct OutputColumn: Hashable, Sendable {
    public let name: String
    public let type: OutputType

    public init(_ name: String, _ type: OutputType) {
        self.name = name
        self.type = type
    }
}

/// What a column holds. Beside each: how a row encodes it in the outbox (integers little-endian) and the ClickHouse
/// type that a created table gets for it. The raw values are stored.
public enum OutputType: String, Hashable, Sendable, CaseIterable {
    /// Varint length, bytes. `String`
    case text
    /// 8 bytes. `UInt64`
    case count
    /// 8 bytes, IEEE 754. `Float64`
    case number
    /// 1 byte, 0 or 1. `Bool`, else `UInt8`
    case flag
    /// 8 bytes, milliseconds since 1970 UTC. `DateTime64(3, 'UTC')`, else `DateTime('UTC')` in whole seconds, cut
    case time
    /// 8 bytes, a signed count of cents. `Decimal(18, 2)`
    case amount
    /// 16 bytes, a signed count of cents. `Decimal(38, 2)`
    case sum
    /// Varint byte length, then the entries of `TextCounts`. `Map(String, UInt32)`, else `String` with a JSON object
    case textCounts
    /// Varint byte length, then texts, each with its varint length. `Array(String)`
    case texts
}
