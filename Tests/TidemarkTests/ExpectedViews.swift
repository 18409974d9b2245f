import TestSupport

/// What the views must show, added up from golden rows without any SQL.
struct ExpectedViews {
    /// By the name of the view.
    private(set) var rows: [String: [GoldenRow]] = [:]

    init(_ tables: [String: [GoldenRow]]) {
        addAlerts(tables["fraud_detection_alerts"]!)
        addMerchants(tables["merchant_performance_analytics"]!)
        addCustomers(tables["customer_lifecycle_analytics"]!)
        addPatterns(tables["customer_transaction_metrics"]!)
    }

    private mutating func addAlerts(_ alerts: [GoldenRow]) {
        func measure(_ group: [GoldenRow]) -> [String: GoldenValue] {
            [
                "alerts": .number(Double(group.count)), "customers": .number(Double(Set(group.map { $0["customerId"] }).count)),
                "fraudulent": .number(Double(group.count { $0["isFraudulent"] == .flag(true) })), "totalAmount": group.money("amount"),
                "averageRiskScore": group.mean("riskScore"),
            ]
        }
        rows["fraud_alerts_by_severity"] = alerts.grouped("severity", by: { [$0["severity"]] }, measure)
        rows["fraud_alerts_by_type"] = alerts.grouped("fraudType", by: { $0.list("fraudTypes") }, measure)
        let hour = 3_600_000.0
        rows["fraud_alerts_by_hour"] = alerts.grouped(
            "hourStart", by: { [.number(($0.time("detectionTime") / hour).rounded(.down) * hour)] }, measure)
        rows["fraud_alerts_by_customer"] = alerts.grouped("customerId", by: { [$0["customerId"]] }) { group in
            var measures = measure(group)
            measures["customers"] = nil
            measures["maxRiskScore"] = .number(group.map { $0.number("riskScore") }.max()!)
            measures["latestDetection"] = .number(group.map { $0.time("detectionTime") }.max()!)
            return measures
        }
    }

    private mutating func addMerchants(_ windows: [GoldenRow]) {
        func sums(_ group: [GoldenRow]) -> [String: GoldenValue] {
            let count = group.sum("transactionCount")
            return [
                "totalAmount": group.money("totalAmount"), "transactionCount": .number(count),
                "averageAmount": .number(Double(group.cents("totalAmount")) / 100 / count),
            ]
        }
        let byMerchant = Dictionary(grouping: windows) { $0["merchantId"] }
        let latest = byMerchant.mapValues { $0.max { $0.time("eventTime") < $1.time("eventTime") }! }
        rows["merchants_by_revenue"] = windows.grouped("merchantId", by: { [$0["merchantId"]] }) { group in
            var row = sums(group)
            let (completed, failed) = (group.sum("completedCount"), group.sum("failedCount"))
            row["completedCount"] = .number(completed)
            row["failedCount"] = .number(failed)
            row["successRate"] = .number(completed / group.sum("transactionCount"))
            for name in ["merchantName", "businessType", "mccCode", "country", "isActive", "performanceLevel", "riskLevel"] {
                row[name] = latest[group[0]["merchantId"]]![name]
            }
            return row
        }
        for (name, column) in [("country", "country"), ("business_type", "businessType"), ("mcc", "mccCode"), ("risk", "riskLevel")] {
            rows["merchants_by_\(name)"] = windows.grouped(column, by: { [latest[$0["merchantId"]]![column]] }) { group in
                sums(group).merging(["merchants": .number(Double(Set(group.map { $0["merchantId"] }).count))]) { $1 }
            }
        }
    }

    /// The order of a transaction's events.
    private static let events = [
        "REACTIVATED", "FIRST_TRANSACTION", "TIER_UPGRADE", "TIER_DOWNGRADE", "KYC_COMPLETED", "HIGH_VALUE_CUSTOMER",
        "HIGH_ACTIVITY_CUSTOMER",
        "POWER_USER", "HIGH_ENGAGEMENT_SESSION", "MULTI_CHANNEL_CUSTOMER", "CUSTOMER_CHURNED",
    ]

    private mutating func addCustomers(_ events: [GoldenRow]) {
        func order(_ row: GoldenRow) -> (Double, Double, Int) {
            (row.time("eventTime"), row.number("transactionCount"), ExpectedViews.events.firstIndex { .text($0) == row["eventType"] }!)
        }
        let latest = Dictionary(grouping: events) { $0["customerId"] }.values.map { $0.max { order($0) < order($1) }! }
        func measure(_ group: [GoldenRow]) -> [String: GoldenValue] {
            [
                "customers": .number(Double(group.count)), "transactionCount": .number(group.sum("transactionCount")),
                "totalAmount": group.money("totalAmount"), "averageRiskScore": group.mean("riskScore"),
            ]
        }
        rows["customers_by_tier"] = latest.grouped("currentTier", by: { [$0["currentTier"]] }, measure)
        rows["customers_by_kyc_status"] = latest.grouped("currentKycStatus", by: { [$0["currentKycStatus"]] }, measure)
        rows["customers_by_risk"] = latest.grouped(
            "riskLevel",
            by: { row in
                let risk = row.number("riskScore")
                return [.text(risk >= 80 ? "CRITICAL" : risk >= 60 ? "HIGH" : risk >= 40 ? "MEDIUM" : "LOW")]
            }, measure)
        rows["customers_by_event"] = events.grouped("eventType", by: { [$0["eventType"]] }) { group in
            [
                "events": .number(Double(group.count)), "customers": .number(Double(Set(group.map { $0["customerId"] }).count)),
                "latestEvent": .number(group.map { $0.time("eventTime") }.max()!),
            ]
        }
    }

    private mutating func addPatterns(_ windows: [GoldenRow]) {
        let columns = [
            ("type", "transactionType", "transactionTypeCounts"), ("country", "country", "locationCounts"),
            ("device", "device", "deviceCounts"),
        ]
        for (name, dimension, column) in columns {
            rows["transaction_patterns_by_\(name)"] = windows.grouped(dimension, by: { $0.object(column).keys.map { .text($0) } }) {
                group, value in
                guard case .text(let name) = value else { preconditionFailure("a name is a text") }
                let transactions = group.reduce(0.0) { sum, row in
                    guard case .number(let count)? = row.object(column)[name] else { preconditionFailure("\(name) has no count") }
                    return sum + count
                }
                return [
                    "transactions": .number(transactions), "customers": .number(Double(Set(group.map { $0["customerId"] }).count)),
                    "windows": .number(Double(group.count)),
                ]
            }
        }
    }
}

extension [GoldenRow] {
    /// A row for each value that `keys` gives, under `name`, with what is measured of the rows that have it.
    fileprivate func grouped(_ name: String, by keys: (GoldenRow) -> [GoldenValue], _ measure: ([GoldenRow]) -> [String: GoldenValue])
        -> [GoldenRow]
    {
        grouped(name, by: keys) { group, _ in measure(group) }
    }

    fileprivate func grouped(
        _ name: String, by keys: (GoldenRow) -> [GoldenValue], _ measure: ([GoldenRow], GoldenValue) -> [String: GoldenValue]
    ) -> [GoldenRow] {
        var groups: [GoldenValue: [GoldenRow]] = [:]
        for row in self {
            for key in keys(row) { groups[key, default: []].append(row) }
        }
        return groups.map { key, group in GoldenRow(columns: measure(group, key).merging([name: key]) { $1 }) }
    }

    fileprivate func sum(_ column: String) -> Double { reduce(0) { $0 + $1.number(column) } }
    fileprivate func mean(_ column: String) -> GoldenValue { .number(sum(column) / Double(count)) }
    fileprivate func cents(_ column: String) -> Int128 { reduce(0) { $0 + $1.cents(column) } }
    fileprivate func money(_ column: String) -> GoldenValue { .text(GoldenValue.money(cents: cents(column))) }
}

extension GoldenRow {
    fileprivate subscript(column: String) -> GoldenValue { columns[column] ?? .null }

    fileprivate func number(_ column: String) -> Double {
        guard case .number(let number) = self[column] else { preconditionFailure("\(column) is no number") }
        return number
    }

    fileprivate func cents(_ column: String) -> Int128 {
        guard case .text(let money) = self[column], let cents = Int128(money.filter { $0 != "." }) else {
            preconditionFailure("\(column) is no money")
        }
        return cents
    }

    fileprivate func list(_ column: String) -> [GoldenValue] {
        guard case .list(let list) = self[column] else { preconditionFailure("\(column) is no list") }
        return list
    }

    fileprivate func object(_ column: String) -> [String: GoldenValue] {
        guard case .object(let object) = self[column] else { preconditionFailure("\(column) is no object") }
        return object
    }
}
