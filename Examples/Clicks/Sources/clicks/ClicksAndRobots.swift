import Engine

/// The processor's second version: robots are counted apart, and the count goes by another name.
struct ClicksAndRobots: WindowedAggregate {
    static let name = "clicks_per_page"  // the same table
    static let version = 2
    static let evolution = StateEvolution.from(1)
        .renaming("clicks", to: "people")
        .adding("robots")  // windows that are open get what init() gives
    let rows: RowWriter

    struct Total: StateRecord {
        var robots: UInt64 = 0
        var people: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("robots", &robots)
            visit.field("people", &people)
        }
    }

    func key(of click: Click) -> ByteView? { click.page }

    mutating func add(_ click: Click, at time: EventTime, to total: inout Total) {
        if click.page == "robots.txt" { total.robots += 1 } else { total.people += 1 }
    }

    mutating func close(_ window: Window, key: ByteView, record total: inout Total) {
        rows.begin()
        rows.text("page", key)
        rows.time("eventTime", window.end)
        rows.count("clicks", total.people)
        rows.end()
    }
}

let changedJob = Topology(
    job: "clicks", version: 2,
    stages: [
        Stage("clicks", topic: "clicks") { setup in
            setup.decode(with: ClickDecoder())
                .outOfOrderness(.seconds(5))
                .rejecting(topic: "clicks")
                .window(.minutes(1), ClicksAndRobots(rows: setup.rows(of: clicksTable)))
        }
    ], views: [clicksByPage])
