import Engine
import SQLiteState

/// A value as reports show it.
enum Cell {
    case none
    case flag(Bool)
    case number(Int128)
    case real(Double)
    case text(String)
    /// A size; people see it with a unit.
    case bytes(Int)
    case time(EventTime)
    /// JSON of its own, such as a list.
    case json(String)

    static func count(_ number: some BinaryInteger) -> Cell { .number(Int128(number)) }
    static func optional(_ number: (some BinaryInteger)?) -> Cell { number.map { .number(Int128($0)) } ?? .none }
    static func time(milliseconds: Int64?) -> Cell { milliseconds.map { .time(EventTime(milliseconds: $0)) } ?? .none }
    static func time(_ time: EventTime?) -> Cell { time.map { .time($0) } ?? .none }
    /// Nothing before the first record, where a task's watermark lies before all times.
    static func watermark(_ time: EventTime?) -> Cell { time == .distantPast ? .none : .time(time) }

    init(_ value: StateValue) {
        self =
            switch value {
            case .bool(let flag): .flag(flag)
            case .unsigned(let number): .number(Int128(number))
            case .signed(let number): .number(Int128(number))
            case .signed128(let number): .number(number)
            case .time(let time): .time(time)
            case .text(let bytes): .text(StateText.field(bytes))
            case .textSet, .textCounts, .recentNumbers, .bucketSums, .lastSeenTexts: .json(value.json)
            }
    }

    init(_ value: StateQuery.Value) {
        self =
            switch value {
            case .null: .none
            case .integer(let number): .number(Int128(number))
            case .real(let number): .real(number)
            case .text(let text): .text(text)
            case .blob(let bytes): .text(bytes.withUnsafeBytes { StateText.hex(ByteView($0)) })
            }
    }

    var json: String {
        switch self {
        case .none: "null"
        case .flag(let flag): flag ? "true" : "false"
        case .number(let number): String(number)
        case .real(let number): number.isFinite ? "\(number)" : "null"
        case .text(let text): quotedJSON(text)
        case .bytes(let count): String(count)
        case .time(let time): quotedJSON(time.text)
        case .json(let json): json
        }
    }

    /// For people: sizes with units, nothing where there is nothing.
    var text: String {
        switch self {
        case .none: ""
        case .flag(let flag): flag ? "yes" : "no"
        case .number(let number): String(number)
        case .real(let number): "\(number)"
        case .text(let text): text.printable
        case .bytes(let count): Cell.size(count)
        case .time(let time): time.text.rest(before: ".000Z").map { $0 + "Z" } ?? time.text
        case .json(let json): json
        }
    }

    var isNumber: Bool {
        switch self {
        case .number, .real, .bytes: true
        case .none, .flag, .text, .time, .json: false
        }
    }

    private static func size(_ count: Int) -> String {
        var (value, unit) = (count * 10, 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while value >= 10_240 && unit < units.count - 1 {
            value = (value + 512) / 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(value / 10).\(value % 10) \(units[unit])"
    }
}
