import Engine

/// Writes rows of a purchase job's table as a version of the job lays them out.
struct PurchaseRows {
    enum Value {
        case text(ByteView)
        case time(EventTime)
        case count(UInt64)
        case amount(Int64)
    }

    private let rows: RowWriter
    private let marks: RowWriter?
    private let version: PurchaseVersion?

    /// `version`: nil for the job as it is without others.
    init(_ setup: TaskSetup, _ plain: OutputTable, _ version: PurchaseVersion?) {
        self.version = version
        rows = setup.rows(of: version?.table(plain) ?? plain)
        marks = version?.hasMarks == true ? setup.rows(of: PurchaseVersion.marks) : nil
    }

    /// `key`: of the row, for its mark. `values` in the order of the plain table's columns.
    func write(key: ByteView, at time: EventTime, _ values: [(name: StaticString, value: Value)]) {
        rows.begin()
        if let version {
            writeColumns(values, version)
        } else {
            for (name, value) in values { write(name, value, as: nil) }
        }
        rows.end()
        guard let marks, let version else { return }
        marks.begin()
        write("of", rows.table.name, to: marks)
        marks.text("key", key)
        marks.time("eventTime", time)
        marks.count("writer", UInt64(version.rawValue))
        marks.end()
    }

    private func writeColumns(_ values: [(name: StaticString, value: Value)], _ version: PurchaseVersion) {
        for column in rows.table.columns {
            switch column {
            case PurchaseVersion.writer: write("writer", .count(UInt64(version.rawValue)), as: column.type)
            case PurchaseVersion.average: rows.number("average", average(values))
            default:
                guard let (name, value) = values.first(where: { String(describing: $0.name) == column.name }) else { continue }
                write(name, value, as: column.type)
            }
        }
    }

    private func average(_ values: [(name: StaticString, value: Value)]) -> Double {
        var (purchases, total) = (0.0, 0.0)
        for (name, value) in values {
            switch (String(describing: name), value) {
            case ("purchases", .count(let count)): purchases = Double(count)
            case ("total", .amount(let cents)): total = Double(cents)
            default: break
            }
        }
        return total / purchases
    }

    private func write(_ name: StaticString, _ value: Value, as type: OutputType?) {
        switch (value, type) {
        case (.text(let text), _): rows.text(name, text)
        case (.time(let time), _): rows.time(name, time)
        case (.count(let count), .text): write(name, String(count), to: rows)
        case (.count(let count), .number): rows.number(name, Double(count))
        case (.count(let count), _): rows.count(name, count)
        case (.amount(let cents), .sum): rows.sum(name, cents: Int128(cents))
        case (.amount(let cents), _): rows.amount(name, cents: cents)
        }
    }

    private func write(_ name: StaticString, _ text: String, to rows: RowWriter) {
        var text = text
        text.withUTF8 { rows.text(name, ByteView(UnsafeRawBufferPointer($0))) }
    }
}
