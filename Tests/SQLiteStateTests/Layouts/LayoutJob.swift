import Engine

/// A small job whose second version has other output tables: what is changed is all that may differ.
///
/// A record's value is `key low high time`; each writes a line, and one to a table beside.
enum LayoutJob {
    enum Change: String, CaseIterable, Sendable {
        case same, reordered, added, removed, retyped, tableAdded, tableRemoved
    }

    struct Input: Sendable {
        let key: String
        let low: UInt64
        let high: UInt64
        let time: Int64

        var bytes: [UInt8] { Array("\(key) \(low) \(high) \(time)".utf8) }
    }

    static func topology(_ version: Int, _ change: Change) -> Topology {
        let isNew = version == 2
        let lines = isNew ? changed(change) : first
        return Topology(
            job: "layouts", version: version,
            stages: [
                Stage("lines", topic: "lines") { setup in
                    let side = isNew && change == .tableRemoved ? nil : setup.rows(of: LayoutJob.side)
                    let more = isNew && change == .tableAdded ? setup.rows(of: LayoutJob.more) : nil
                    return setup.decode(with: LineDecoder()).process(
                        LineWriter(lines: setup.rows(of: lines), side: side, more: more, order: lines.columns))
                }
            ]
        ).alsoWriting(to: [further])
    }

    static let further = SinkName("kafka")
    private static let key = OutputColumn("key", .text), at = OutputColumn("at", .time)
    private static let low = OutputColumn("low", .count), high = OutputColumn("high", .count)
    static let first = table([key, low, high, at])
    static let side = OutputTable("side", timeColumn: "at", orderBy: ["at"], columns: [at, key])
    static let more = OutputTable("more", timeColumn: "at", orderBy: ["at"], columns: [at, low])

    private static func table(_ columns: [OutputColumn]) -> OutputTable {
        OutputTable("lines", timeColumn: "at", orderBy: ["at"], keyColumn: "key", columns: columns)
    }

    private static func changed(_ change: Change) -> OutputTable {
        switch change {
        case .same, .tableAdded, .tableRemoved: first
        case .reordered: table([at, high, low, key])
        case .added: table([key, low, OutputColumn("extra", .sum), high, at])
        case .removed: table([key, low, at])
        case .retyped: table([key, OutputColumn("low", .number), high, at])
        }
    }

    /// The rows that a version writes for an input, as table, then values by column.
    static func rows(of input: Input, _ version: Int, _ change: Change) -> [NamedRow] {
        let topology = topology(version, change)
        return topology.tables.map { table in
            NamedRow(table: table.name, values: Dictionary(uniqueKeysWithValues: table.columns.map { ($0.name, text(of: $0, input)) }))
        }
    }

    private static func text(of column: OutputColumn, _ input: Input) -> String {
        switch column.name {
        case "key": input.key
        case "low": column.type == .number ? String(Double(input.low)) : String(input.low)
        case "high": String(input.high)
        case "extra": String(Int128(input.low) + Int128(input.high))
        default: String(input.time)
        }
    }
}

/// A row as a sink has it: values by the names of their columns.
struct NamedRow: Hashable {
    let table: String
    let values: [String: String]
}

private struct Line: BitwiseCopyable {
    let key: ByteView
    let low: UInt64
    let high: UInt64
}

private struct LineDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Line> {
        let words = record.value.buffer.split(separator: UInt8(ascii: " ")).map {
            ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0)))
        }
        guard words.count == 4, let low = UInt64(words[1].text), let high = UInt64(words[2].text), let time = Int64(words[3].text) else {
            return .rejected(Rejection("malformed"))
        }
        return .event(Line(key: words[0], low: low, high: high), at: EventTime(milliseconds: time))
    }
}

private struct LineWriter: KeyedProcessor {
    static let name = "line_counts"
    static let version = 1
    let lines: RowWriter
    let side: RowWriter?
    let more: RowWriter?
    let order: [OutputColumn]

    struct Seen: StateRecord {
        var count: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("count", &count) }
    }

    func key(of line: Line) -> ByteView? { line.key }

    mutating func process(_ line: Line, at time: EventTime, key: ByteView, state: inout Keyed<Seen>) {
        state.record.count += 1
        lines.begin()
        for column in order {
            switch (column.name, column.type) {
            case ("key", _): lines.text("key", line.key)
            case ("low", .number): lines.number("low", Double(line.low))
            case ("low", _): lines.count("low", line.low)
            case ("high", _): lines.count("high", line.high)
            case ("extra", _): lines.sum("extra", cents: Int128(line.low) + Int128(line.high))
            default: lines.time("at", time)
            }
        }
        lines.end()
        if let side {
            side.begin()
            side.time("at", time)
            side.text("key", line.key)
            side.end()
        }
        if let more {
            more.begin()
            more.time("at", time)
            more.count("low", line.low)
            more.end()
        }
    }
}
