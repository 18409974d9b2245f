import Engine

/// What the purchase jobs compute, computed plainly: one partition after the other, in log order, in dictionaries.
///
/// Rows are texts, as `RowText` of the simulation gives them: the table's name, then the values in order of columns.
package struct PurchaseReference {
    private struct Sum {
        var purchases = 0
        var total = 0
    }

    private struct Visit {
        var sum = Sum()
        var wasGone = false
        var timer = 0
    }

    private struct WindowKey: Hashable {
        let key: String
        let start: Int
    }

    private let job: PurchaseJob
    private var rows: [String] = []
    private var shops: [WindowKey: Sum] = [:]
    private var customers: [WindowKey: Sum] = [:]
    private var customersOfShops: [WindowKey: Set<String>] = [:]

    /// `partitions`: each partition's values in log order.
    package static func rows(of job: PurchaseJob, _ partitions: [[String]]) -> [String] {
        var reference = PurchaseReference(job: job)
        for (number, values) in partitions.enumerated() { reference.run(number, values) }
        if job.hasCustomerTotals {
            for (window, sum) in reference.customers { reference.rows.append(row("customer_totals", window, sum)) }
        }
        reference.writeShops()
        return reference.rows.sorted()
    }

    private init(job: PurchaseJob) { self.job = job }

    private mutating func run(_ partition: Int, _ values: [String]) {
        var watermark = Int.min
        var visits: [String: Visit] = [:]
        var known: Set<String> = []
        for (offset, value) in values.enumerated() {
            let words = value.split(separator: " ").map(String.init)
            guard words.count == 4, let amount = Int(words[2]), let time = Int(words[3]) else {
                reject(partition, offset, "malformed", value)
                continue
            }
            let span = Int(PurchaseJob.window.milliseconds)
            let start = time / span * span
            if job == .once {
                let bucket = Int(PurchaseJob.horizonBucket.milliseconds)
                guard time / bucket * bucket + bucket + Int(PurchaseJob.horizon.milliseconds) > watermark else {
                    reject(partition, offset, "late", value)
                    continue
                }
                // Copies have the time of what they are copies of: what is not too old is still known.
                guard known.insert(value).inserted else { continue }
            }
            if job.hasWindows && job != .rekeyed && start + span <= watermark {
                reject(partition, offset, "late", value)
            } else if job.hasWindows {
                PurchaseReference.add(1, amount, to: &customers[WindowKey(key: words[0], start: start), default: Sum()])
                PurchaseReference.add(1, amount, to: &shops[WindowKey(key: words[1], start: start), default: Sum()])
                customersOfShops[WindowKey(key: words[1], start: start), default: []].insert(words[0])
            }
            if job.hasTimers { visit(words[0], amount, time, &visits) }
            watermark = max(watermark, time - Int(PurchaseJob.outOfOrderness.milliseconds))
            if job.hasTimers { fireTimers(through: watermark, &visits) }
        }
    }

    private static func add(_ purchases: Int, _ total: Int, to sum: inout Sum) {
        sum.purchases += purchases
        sum.total += total
    }

    private static func row(_ table: String, _ window: WindowKey, _ sum: Sum, span: EventSpan = PurchaseJob.window) -> String {
        "\(table) \(window.key) \(window.start + Int(span.milliseconds)) \(sum.purchases) \(sum.total)"
    }

    private mutating func reject(_ partition: Int, _ offset: Int, _ reason: String, _ value: String) {
        rows.append("rejected_records \(PurchaseJob.topic) \(partition) \(offset) \(reason)  \(value) 0")
    }

    private mutating func visit(_ customer: String, _ amount: Int, _ time: Int, _ visits: inout [String: Visit]) {
        var visit = visits[customer] ?? Visit()
        PurchaseReference.add(1, amount, to: &visit.sum)
        visit.wasGone = false
        visit.timer = time + Int(PurchaseJob.goneAfter.milliseconds)
        visits[customer] = visit
        rows.append("visits \(customer) purchase \(time) \(visit.sum.purchases) \(visit.sum.total)")
    }

    private mutating func fireTimers(through watermark: Int, _ visits: inout [String: Visit]) {
        while let (customer, visit) = visits.filter({ $0.value.timer <= watermark }).min(by: {
            ($0.value.timer, $0.key) < ($1.value.timer, $1.key)
        }) {
            rows.append(
                "visits \(customer) \(visit.wasGone ? "forgotten" : "gone") \(visit.timer) \(visit.sum.purchases) \(visit.sum.total)")
            if visit.wasGone {
                visits[customer] = nil
            } else {
                visits[customer]!.wasGone = true
                visits[customer]!.timer += Int(PurchaseJob.secondLook.milliseconds)
            }
        }
    }

    /// The second and third stages see the partials of all partitions, and are late for none.
    private mutating func writeShops() {
        guard job.sendsPartials else { return }
        let merged = PurchaseReference.merged(shops, by: { $0 }, PurchaseJob.shopWindow)
        let customers = PurchaseReference.merged(
            customersOfShops.mapValues { Sum(purchases: $0.count) }, by: { $0 }, PurchaseJob.shopWindow)
        var ever: [String: Sum] = [:]
        for (window, sum) in merged.sorted(by: { $0.key.start < $1.key.start }) {
            PurchaseReference.add(sum.purchases, sum.total, to: &ever[window.key, default: Sum()])
            let sums = ever[window.key, default: Sum()]
            let row = PurchaseReference.row("shop_totals", window, sum, span: PurchaseJob.shopWindow)
            rows.append("\(row) \(customers[window, default: Sum()].purchases) \(sums.purchases) \(sums.total)")
        }
        guard job != .merged else { return }
        let overall = PurchaseReference.merged(merged, by: { _ in "all" }, PurchaseJob.overallWindow)
        for (window, sum) in overall { rows.append(PurchaseReference.row("overall_totals", window, sum, span: PurchaseJob.overallWindow)) }
    }

    /// Sums of short windows added up in longer ones, under other keys.
    private static func merged(_ sums: [WindowKey: Sum], by key: (String) -> String, _ span: EventSpan) -> [WindowKey: Sum] {
        var merged: [WindowKey: Sum] = [:]
        for (window, sum) in sums {
            let start = window.start / Int(span.milliseconds) * Int(span.milliseconds)
            add(sum.purchases, sum.total, to: &merged[WindowKey(key: key(window.key), start: start), default: Sum()])
        }
        return merged
    }
}
