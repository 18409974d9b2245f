import Engine

struct Totals: StateRecord {
    var purchases: UInt64 = 0
    var total: Int64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("purchases", &purchases)
        visit.field("total", &total)
    }

    func write(_ key: StaticString, _ value: ByteView, _ window: Window, to rows: PurchaseRows) {
        rows.write(
            key: value, at: window.end,
            [
                (key, .text(value)), ("eventTime", .time(window.end)), ("purchases", .count(purchases)), ("total", .amount(total)),
            ])
    }
}

struct CustomerTotals: WindowedAggregate {
    static let name = "customer_totals"
    static let version = 1
    let rows: PurchaseRows

    func key(of purchase: Purchase) -> ByteView? { purchase.customer }

    mutating func add(_ purchase: Purchase, at time: EventTime, to record: inout Totals) {
        record.purchases += 1
        record.total += purchase.amount
    }

    mutating func close(_ window: Window, key: ByteView, record: inout Totals) { record.write("customer", key, window, to: rows) }
}

struct ShopSums: StateRecord {
    var totals = Totals()
    /// Distinct ones of each partition and short window.
    var customers: UInt64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        totals.fields(&visit)
        visit.field("customers", &customers)
    }
}

struct ShopPartials: WindowedAggregate {
    static let name = "shop_partials"
    static let version = 1
    static let placement = StatePlacement.stays
    let messages: PartialMessages
    let customers: WindowedSet

    init(_ setup: TaskSetup, _ version: PurchaseVersion?) {
        messages = PartialMessages(setup, to: "shops", version)
        customers = setup.windowedSet("shop_customers", version: 1, span: PurchaseJob.window)
    }

    func key(of purchase: Purchase) -> ByteView? { purchase.shop }

    mutating func add(_ purchase: Purchase, at time: EventTime, to record: inout ShopSums) {
        record.totals.purchases += 1
        record.totals.total += purchase.amount
        if customers.insert(purchase.customer, in: purchase.shop, at: time) { record.customers += 1 }
    }

    mutating func close(_ window: Window, key: ByteView, record: inout ShopSums) {
        messages.send(record.totals.purchases, record.totals.total, record.customers, of: window, key: key)
    }
}

struct ShopTotals: WindowedAggregate {
    static let name = "shop_totals"
    static let version = 1
    let rows: PurchaseRows
    let messages: PartialMessages?
    let ever: KeyedRecords<Totals>

    init(_ setup: TaskSetup, messages: PartialMessages?, _ version: PurchaseVersion?) {
        rows = PurchaseRows(setup, PurchaseJob.shopTotals, version)
        ever = setup.records("shop_totals_ever", version: 1)
        self.messages = messages
    }

    func key(of partial: Partial) -> ByteView? { partial.key }

    mutating func add(_ partial: Partial, at time: EventTime, to record: inout ShopSums) {
        record.totals.purchases += partial.purchases
        record.totals.total += partial.total
        record.customers += partial.customers
    }

    mutating func close(_ window: Window, key: ByteView, record: inout ShopSums) {
        var sums = Totals()
        ever.update(key) {
            $0.purchases += record.totals.purchases
            $0.total += record.totals.total
            sums = $0
        }
        rows.write(
            key: key, at: window.end,
            [
                ("shop", .text(key)), ("eventTime", .time(window.end)), ("purchases", .count(record.totals.purchases)),
                ("total", .amount(record.totals.total)), ("customers", .count(record.customers)), ("purchasesEver", .count(sums.purchases)),
                ("totalEver", .amount(sums.total)),
            ])
        guard let messages else { return }
        let scope: StaticString = "all"
        messages.send(
            record.totals.purchases, record.totals.total, of: window, key: ByteView(start: scope.utf8Start, count: scope.utf8CodeUnitCount))
    }
}

struct OverallTotals: WindowedAggregate {
    static let name = "overall_totals"
    static let version = 1
    let rows: PurchaseRows

    func key(of partial: Partial) -> ByteView? { partial.key }

    mutating func add(_ partial: Partial, at time: EventTime, to record: inout Totals) {
        record.purchases += partial.purchases
        record.total += partial.total
    }

    mutating func close(_ window: Window, key: ByteView, record: inout Totals) { record.write("scope", key, window, to: rows) }
}

/// A row a purchase; a customer who is gone is said so, looked at once more, and then forgotten.
struct Visits: KeyedProcessor {
    static let name = "visits"
    static let version = 1
    let rows: PurchaseRows

    struct Visit: StateRecord {
        var totals = Totals()
        var wasGone = false

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            totals.fields(&visit)
            visit.field("wasGone", &wasGone)
        }
    }

    func key(of purchase: Purchase) -> ByteView? { purchase.customer }

    mutating func process(_ purchase: Purchase, at time: EventTime, key: ByteView, state: inout Keyed<Visit>) {
        state.record.totals.purchases += 1
        state.record.totals.total += purchase.amount
        state.record.wasGone = false
        state.timer = time + PurchaseJob.goneAfter
        write("purchase", time, key, state.record.totals)
    }

    mutating func timerFired(at time: EventTime, key: ByteView, state: inout Keyed<Visit>) {
        write(state.record.wasGone ? "forgotten" : "gone", time, key, state.record.totals)
        if state.record.wasGone {
            state.isRemoved = true
        } else {
            state.record.wasGone = true
            state.timer = time + PurchaseJob.secondLook
        }
    }

    private func write(_ kind: StaticString, _ time: EventTime, _ key: ByteView, _ totals: Totals) {
        rows.write(
            key: key, at: time,
            [
                ("customer", .text(key)), ("kind", .text(ByteView(start: kind.utf8Start, count: kind.utf8CodeUnitCount))),
                ("eventTime", .time(time)),
                ("purchases", .count(totals.purchases)), ("total", .amount(totals.total)),
            ])
    }
}
