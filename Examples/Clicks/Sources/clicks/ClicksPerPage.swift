import Engine

let clicksTable = OutputTable(
    "clicks_per_page", timeColumn: "eventTime", orderBy: ["page", "eventTime"],
    columns: [OutputColumn("page", .text), OutputColumn("eventTime", .time), OutputColumn("clicks", .count)]
)

/// What a dashboard asks: a view in ClickHouse.
let clicksByPage = OutputView(
    "clicks_by_page", of: clicksTable, by: .column("page"), measuring: [.sum("clicks", of: "clicks"), .greatest("until", of: "eventTime")]
)

struct ClicksPerPage: WindowedAggregate {
    static let name = "clicks_per_page"  // the state table's name, for ever
    static let version = 1
    let rows: RowWriter

    struct Total: StateRecord {
        var clicks: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("clicks", &clicks)
        }
    }

    func key(of click: Click) -> ByteView? { click.page }  // nil: does not count here

    mutating func add(_ click: Click, at time: EventTime, to total: inout Total) { total.clicks += 1 }

    mutating func close(_ window: Window, key: ByteView, record total: inout Total) {
        rows.begin()
        rows.text("page", key)
        rows.time("eventTime", window.end)
        rows.count("clicks", total.clicks)
        rows.end()
    }
}
