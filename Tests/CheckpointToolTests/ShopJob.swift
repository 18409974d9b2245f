import Engine
import Simulation

/// A job with a field of every type, a windowed table, timers, two stages and two output tables; its state is written by
/// hand, so that it is the same each time.
enum ShopJob {
    static let job = "shop"
    static let orders = StageName("orders")
    static let totals = StageName("totals")

    static let baskets = StateSchema(table: "baskets", version: 2, key: .key, hasTimer: true, record: Basket.self)
    static let hourly = StateSchema(table: "hourly", version: 1, key: .windowAndKey, span: .hours(1), record: Hour.self)
    static let days = StateSchema(table: "days", version: 1, key: .windowAndKey, span: .days(1), record: Hour.self)

    static func topology(orders ordersSchemas: [StateSchema] = [baskets, hourly], totals totalsSchemas: [StateSchema] = [days]) -> Topology
    {
        Topology(
            job: job, version: 3,
            stages: [
                Stage(orders, input: .topic("shop.orders")) { setup in
                    _ = setup.rows(of: table("order_totals"))
                    _ = setup.messages(to: totals)
                    return DeclaredTask(id: setup.task, schemas: ordersSchemas)
                },
                Stage(totals, input: .messages(partitions: 1)) { setup in
                    _ = setup.rows(of: table("daily_totals"))
                    return DeclaredTask(id: setup.task, schemas: totalsSchemas)
                },
            ])
    }

    static func table(_ name: String) -> OutputTable {
        OutputTable(name, timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time)])
    }
}

/// What a customer has in hand.
struct Basket: StateRecord {
    var isOpen = false
    var orders: UInt64 = 0
    var balance: Int64 = 0
    var total: Int128 = 0
    var lastAt = EventTime.distantPast
    var note = TextField()
    var items = TextSet()
    var visits = TextCounts()
    var amounts = RecentNumbers()
    var hours = BucketSums()
    var seen = LastSeenTexts()

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("isOpen", &isOpen)
        visit.field("orders", &orders)
        visit.field("balance", &balance)
        visit.field("total", &total)
        visit.field("lastAt", &lastAt)
        visit.field("note", &note)
        visit.field("items", &items)
        visit.field("visits", &visits)
        visit.field("amounts", &amounts)
        visit.field("hours", &hours)
        visit.field("seen", &seen)
    }

    mutating func order(_ item: String, _ cents: Int64, at time: EventTime, from country: String) {
        isOpen = true
        orders += 1
        balance -= cents
        total += Int128(cents)
        lastAt = max(lastAt, time)
        item.bytes { items.insert($0) }
        country.bytes { visits.increment($0) }
        amounts.append(cents, keeping: 4)
        hours.add(cents, to: time.milliseconds / 3_600_000, keeping: 24)
        country.bytes { seen.note($0, at: time, keeping: 3) }
    }
}

/// Sums of an hour or a day.
struct Hour: StateRecord {
    var count: UInt64 = 0
    var total: Int128 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("total", &total)
    }
}

extension String {
    func bytes<Result>(_ body: (ByteView) -> Result) -> Result {
        Array(utf8).withUnsafeBytes { body(ByteView($0)) }
    }
}
