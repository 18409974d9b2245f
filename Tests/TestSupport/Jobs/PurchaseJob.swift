import Engine

/// Jobs over purchases, small enough to be computed a second time by hand (`PurchaseReference`).
///
/// A record's value is `customer shop amount time`, such as `anna bakery 12 61000`. Windows are 10 s and, in later stages,
/// longer; out-of-orderness is 5 s.
public enum PurchaseJob: String, CaseIterable, Sendable {
    /// Totals per customer and window: one windowed stage.
    case windowed
    /// Partials per shop and window, sent on close to a second stage that merges them.
    case merged
    /// As `merged`, and the second stage sends on to a third, which adds all shops up in longer windows.
    case chained
    /// Each purchase in log order with its customer's running total, and a timer that says when the customer is gone.
    case visits
    /// All of it in one job.
    case everything
    /// As `everything`, of purchases that come once and again: only the first of each counts.
    case once
    /// As `chained`, with a stage in front that sends each purchase to its customer: customers live in any partition.
    case rekeyed
    /// As `everything`, with that stage in front and purchases of one partition, so that their order is known.
    case rekeyedInOrder

    public static let topic = "purchases"
    public static let window = EventSpan.seconds(10)
    /// Of the second and of the third stage.
    public static let shopWindow = EventSpan.seconds(20)
    public static let overallWindow = EventSpan.seconds(60)
    public static let outOfOrderness = EventSpan.seconds(5)
    /// A customer is gone this long after the latest purchase, and looked at once more after `secondLook`.
    public static let goneAfter = EventSpan.seconds(20)
    public static let secondLook = EventSpan.seconds(15)

    /// Purchases are known again for at least this long.
    public static let horizon = EventSpan.seconds(20)
    public static let horizonBucket = EventSpan.seconds(10)

    public var hasTimers: Bool { [.visits, .everything, .once, .rekeyedInOrder].contains(self) }
    /// How many partitions its topic may have, at most `count`.
    public func partitions(atMost count: Int) -> Int { self == .rekeyedInOrder ? 1 : count }

    public var hasWindows: Bool { self != .visits }
    public var isRekeyed: Bool { self == .rekeyed || self == .rekeyedInOrder }
    var hasCustomerTotals: Bool { [.windowed, .everything, .once, .rekeyed, .rekeyedInOrder].contains(self) }

    public static let customerTotals = totals("customer_totals", "customer")
    public static let shopTotals = OutputTable("shop_totals", timeColumn: "eventTime", orderBy: ["shop", "eventTime"], columns: [
        OutputColumn("shop", .text), OutputColumn("eventTime", .time), OutputColumn("purchases", .count), OutputColumn("total", .amount),
        OutputColumn("customers", .count), OutputColumn("purchasesEver", .count), OutputColumn("totalEver", .amount),
    ])
    public static let overallTotals = totals("overall_totals", "scope")
    public static let visitRows = OutputTable("visits", timeColumn: "eventTime", orderBy: ["customer", "eventTime"], columns: [
        OutputColumn("customer", .text), OutputColumn("kind", .text), OutputColumn("eventTime", .time), OutputColumn("purchases", .count),
        OutputColumn("total", .amount),
    ])

    private static func totals(_ name: String, _ key: String) -> OutputTable {
        OutputTable(name, timeColumn: "eventTime", orderBy: [key, "eventTime"], columns: [
            OutputColumn(key, .text), OutputColumn("eventTime", .time), OutputColumn("purchases", .count), OutputColumn("total", .amount),
        ])
    }

    public var topology: Topology {
        var stages = [Stage("purchases", topic: PurchaseJob.topic) { setup in
            let stage = setup.decode(with: PurchaseDecoder()).outOfOrderness(PurchaseJob.outOfOrderness).rejecting(topic: PurchaseJob.topic)
            if self == .once { stage.droppingRepeated("purchase_ids", version: 1, horizon: PurchaseJob.horizon, bucket: PurchaseJob.horizonBucket) { $0.whole } }
            return isRekeyed ? stage.forwarding(to: "customers", PurchaseForwarding()) : processed(stage, setup)
        }]
        if isRekeyed {
            stages.append(Stage("customers", partitions: 3) { setup in
                processed(setup.decode(with: PurchaseDecoder()).receivingForwarded(from: "purchases", topic: PurchaseJob.topic), setup)
            })
        }
        if sendsPartials {
            stages.append(Stage("shops", partitions: 3) { setup in
                let messages = self == .merged ? nil : setup.messages(to: "overall")
                // Without a place for rejected ones: a partial that can't be used, a late one say, is an error.
                return setup.decode(with: PartialDecoder()).window(PurchaseJob.shopWindow, ShopTotals(setup, messages: messages))
            })
        }
        if sendsPartials && self != .merged {
            stages.append(Stage("overall", partitions: 2) { setup in
                setup.decode(with: PartialDecoder())
                    .window(PurchaseJob.overallWindow, OverallTotals(rows: setup.rows(of: PurchaseJob.overallTotals)))
            })
        }
        return Topology(job: rawValue, version: 1, stages: stages)
    }

    private func processed(_ stage: StageTask<PurchaseDecoder>, _ setup: TaskSetup) -> StageTask<PurchaseDecoder> {
        if hasCustomerTotals { stage.window(PurchaseJob.window, CustomerTotals(rows: setup.rows(of: PurchaseJob.customerTotals))) }
        if sendsPartials { stage.window(PurchaseJob.window, ShopPartials(setup)) }
        if hasTimers { stage.process(Visits(rows: setup.rows(of: PurchaseJob.visitRows))) }
        return stage
    }

    var sendsPartials: Bool { self != .windowed && self != .visits }
}

/// A purchase, as processors see it.
struct Purchase: BitwiseCopyable {
    let customer: ByteView
    let shop: ByteView
    let amount: Int64
    /// All of it as text.
    let whole: ByteView
}

struct PurchaseDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Purchase> {
        let words = record.value.buffer.split(separator: UInt8(ascii: " "))
        guard words.count == 4 else { return .rejected(Rejection("malformed")) }
        let views = words.map { ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0))) }
        guard let amount = Int64(views[2].text) else { return .rejected(Rejection("bad_value", field: "amount")) }
        guard let time = Int64(views[3].text) else { return .rejected(Rejection("bad_value", field: "time")) }
        return .event(Purchase(customer: views[0], shop: views[1], amount: amount, whole: record.value), at: EventTime(milliseconds: time))
    }
}

/// Sends purchases on to their customers' tasks.
struct PurchaseForwarding: EventForwarding {
    func key(of purchase: Purchase) -> ByteView { purchase.customer }
    func encode(_ purchase: Purchase, into payload: inout ByteWriter) { payload.write(raw: purchase.whole) }
}

/// What one stage tells the next about a key and window.
struct Partial: BitwiseCopyable {
    let key: ByteView
    let purchases: UInt64
    let total: Int64
    let customers: UInt64

    static func send(_ purchases: UInt64, _ total: Int64, _ customers: UInt64 = 0, of window: Window, key: ByteView, to messages: MessageWriter) {
        var payload = ByteWriter(capacity: 32)
        payload.write(zigzag: window.start.milliseconds)
        payload.write(varint: purchases)
        payload.write(zigzag: total)
        payload.write(varint: customers)
        messages.send(payload.view, key: key)
    }
}

struct PartialDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Partial> {
        var reader = ByteReader(record.value)
        let start = reader.zigzag()
        let purchases = reader.varint()
        let total = reader.zigzag()
        let customers = reader.varint()
        guard !reader.failed && reader.isAtEnd else { return .rejected(Rejection("malformed")) }
        return .event(Partial(key: record.key, purchases: purchases, total: total, customers: customers), at: EventTime(milliseconds: start))
    }
}
