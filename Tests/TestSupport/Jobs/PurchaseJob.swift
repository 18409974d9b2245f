import Engine

/// Jobs over purchases, small enough to be computed a second time by hand (`PurchaseReference`).
///
/// A record's value is `customer shop amount time`, such as `anna bakery 12 61000`. Windows are 10 s and, in later stages,
/// longer; out-of-orderness is 5 s.
package enum PurchaseJob: String, CaseIterable, Sendable {
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

    package static let topic = "purchases"
    package static let window = EventSpan.seconds(10)
    /// Of the second and of the third stage.
    package static let shopWindow = EventSpan.seconds(20)
    package static let overallWindow = EventSpan.seconds(60)
    package static let outOfOrderness = EventSpan.seconds(5)
    /// A customer is gone this long after the latest purchase, and looked at once more after `secondLook`.
    package static let goneAfter = EventSpan.seconds(20)
    package static let secondLook = EventSpan.seconds(15)

    /// Purchases are known again for at least this long.
    package static let horizon = EventSpan.seconds(20)
    package static let horizonBucket = EventSpan.seconds(10)

    package var hasTimers: Bool { [.visits, .everything, .once, .rekeyedInOrder].contains(self) }
    /// How many partitions its topic may have, at most `count`.
    package func partitions(atMost count: Int) -> Int { self == .rekeyedInOrder ? 1 : count }

    /// In milliseconds. Where windows are longer than a partition takes to be idle none is silent for so long but for good: when all
    /// are, open windows close, and what comes later is late, as it was meant, and nobody could say of what.
    var longestSilence: Int { self == .chained || self == .rekeyed ? 28_000 : 60_000 }

    package var hasWindows: Bool { self != .visits }
    package var isRekeyed: Bool { self == .rekeyed || self == .rekeyedInOrder }
    var hasCustomerTotals: Bool { [.windowed, .everything, .once, .rekeyed, .rekeyedInOrder].contains(self) }

    package static let customerTotals = totals("customer_totals", "customer")
    package static let shopTotals = OutputTable(
        "shop_totals", timeColumn: "eventTime", orderBy: ["shop", "eventTime"],
        columns: [
            OutputColumn("shop", .text), OutputColumn("eventTime", .time), OutputColumn("purchases", .count),
            OutputColumn("total", .amount),
            OutputColumn("customers", .count), OutputColumn("purchasesEver", .count), OutputColumn("totalEver", .amount),
        ])
    package static let overallTotals = totals("overall_totals", "scope")
    package static let visitRows = OutputTable(
        "visits", timeColumn: "eventTime", orderBy: ["customer", "eventTime"],
        columns: [
            OutputColumn("customer", .text), OutputColumn("kind", .text), OutputColumn("eventTime", .time),
            OutputColumn("purchases", .count),
            OutputColumn("total", .amount),
        ])

    private static func totals(_ name: String, _ key: String) -> OutputTable {
        OutputTable(
            name, timeColumn: "eventTime", orderBy: [key, "eventTime"],
            columns: [
                OutputColumn(key, .text), OutputColumn("eventTime", .time), OutputColumn("purchases", .count),
                OutputColumn("total", .amount),
            ])
    }

    package var topology: Topology { topology(of: nil) }

    /// The job in one of its versions; nil: as it is without others.
    package func topology(of version: PurchaseVersion?) -> Topology {
        var stages = [
            Stage("purchases", topic: PurchaseJob.topic) { setup in
                let stage = setup.decode(with: PurchaseDecoder(form: .log)).outOfOrderness(PurchaseJob.outOfOrderness).rejecting(
                    topic: PurchaseJob.topic)
                if self == .once {
                    stage.deduplicating("purchase_ids", version: 1, horizon: PurchaseJob.horizon, bucket: PurchaseJob.horizonBucket) {
                        $0.whole
                    }
                }
                return isRekeyed ? forwarded(stage, version) : processed(stage, setup, version)
            }
        ]
        if isRekeyed {
            stages.append(
                Stage("customers", partitions: 3) { setup in
                    processed(
                        setup.decode(with: PurchaseDecoder(version)).receivingKeyed(from: "purchases", topic: PurchaseJob.topic), setup,
                        version)
                })
        }
        if sendsPartials {
            stages.append(
                Stage("shops", partitions: 3) { setup in
                    let messages = self == .merged ? nil : PartialMessages(setup, to: "overall", version)
                    // Without a place for rejected ones: a partial that can't be used, a late one say, is an error.
                    return setup.decode(with: PartialDecoder(version)).window(
                        PurchaseJob.shopWindow, ShopTotals(setup, messages: messages, version))
                })
        }
        if sendsPartials && self != .merged {
            stages.append(
                Stage("overall", partitions: 2) { setup in
                    setup.decode(with: PartialDecoder(version))
                        .window(PurchaseJob.overallWindow, OverallTotals(rows: PurchaseRows(setup, PurchaseJob.overallTotals, version)))
                })
        }
        return Topology(job: rawValue, version: version?.rawValue ?? 1, stages: stages)
    }

    private func processed(_ stage: StageTask<PurchaseDecoder>, _ setup: TaskSetup, _ version: PurchaseVersion?) -> StageTask<
        PurchaseDecoder
    > {
        if hasCustomerTotals {
            stage.window(PurchaseJob.window, CustomerTotals(rows: PurchaseRows(setup, PurchaseJob.customerTotals, version)))
        }
        if sendsPartials { stage.window(PurchaseJob.window, ShopPartials(setup, version)) }
        if hasTimers { stage.process(Visits(rows: PurchaseRows(setup, PurchaseJob.visitRows, version))) }
        return stage
    }

    private func forwarded(_ stage: StageTask<PurchaseDecoder>, _ version: PurchaseVersion?) -> StageTask<PurchaseDecoder> {
        guard let version else { return stage.keyBy(PurchaseKeyBy(), to: "customers") }
        if version.forwardsShopsFirst { return stage.keyBy(ShopFirstKeyBy(), to: "customers") }
        return stage.keyBy(CustomerFirstKeyBy(), to: "customers")
    }

    package var sendsPartials: Bool { self != .windowed && self != .visits }
}
