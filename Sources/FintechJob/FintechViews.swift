import Engine

extension FintechJob {
    /// The questions of the dashboards: each over all rows, and as `…_7d` over the last seven days.
    static var views: [OutputView] {
        let all = alertViews + merchantViews + customerViews + patternViews
        return all + all.map { $0.over(.days(7), named: $0.name + "_7d") }
    }

    private static var alertViews: [OutputView] {
        let table = FraudAlertWriter.table
        let measures: [ViewMeasure] = [
            .count("alerts"), .distinct("customers", of: "customerId"), .flagged("fraudulent", "isFraudulent"),
            .sum("totalAmount", of: "amount"),
            .mean("averageRiskScore", of: "riskScore"),
        ]
        return [
            OutputView("fraud_alerts_by_severity", of: table, by: .column("severity"), measuring: measures),
            OutputView("fraud_alerts_by_type", of: table, by: .eachText("fraudType", in: "fraudTypes"), measuring: measures),
            OutputView("fraud_alerts_by_hour", of: table, by: .hour("hourStart"), measuring: measures),
            OutputView(
                "fraud_alerts_by_customer", of: table, by: .column("customerId"),
                measuring: [
                    .count("alerts"), .flagged("fraudulent", "isFraudulent"), .sum("totalAmount", of: "amount"),
                    .mean("averageRiskScore", of: "riskScore"),
                    .greatest("maxRiskScore", of: "riskScore"), .greatest("latestDetection", of: "detectionTime"),
                ]),
        ]
    }

    private static var merchantViews: [OutputView] {
        let table = MerchantPerformance.table
        let average = ViewMeasure.ratio("averageAmount", "totalAmount", by: "transactionCount")
        let byMerchant = OutputView(
            "merchants_by_revenue", of: table, by: .column("merchantId"),
            measuring: [
                .sum("totalAmount", of: "totalAmount"), .sum("transactionCount", of: "transactionCount"), average,
                .sum("completedCount", of: "completedCount"), .sum("failedCount", of: "failedCount"),
                .ratio("successRate", "completedCount", by: "transactionCount"), .latest("merchantName"), .latest("businessType"),
                .latest("mccCode"),
                .latest("country"), .latest("isActive"), .latest("performanceLevel"), .latest("riskLevel"),
            ])
        let columns = [("country", "country"), ("business_type", "businessType"), ("mcc", "mccCode"), ("risk", "riskLevel")]
        return [byMerchant]
            + columns.map { name, column in
                OutputView(
                    "merchants_by_\(name)", of: table, by: .column(column), counting: .latest(of: "merchantId"),
                    measuring: [
                        .sumOfAllRows("totalAmount", of: "totalAmount"), .sumOfAllRows("transactionCount", of: "transactionCount"), average,
                        .count("merchants"),
                    ])
            }
    }

    private static var customerViews: [OutputView] {
        let table = LifecycleRowWriter.table
        let measures: [ViewMeasure] = [
            .count("customers"), .sum("transactionCount", of: "transactionCount"), .sum("totalAmount", of: "totalAmount"),
            .mean("averageRiskScore", of: "riskScore"),
        ]
        // The bands of an alert's severity, because the profile's score has the same scale.
        let bands = ViewDimension.bands("riskLevel", of: "riskScore", Severity.bands, otherwise: Severity.low.name.description)
        return [
            OutputView(
                "customers_by_tier", of: table, by: .column("currentTier"), counting: .latest(of: "customerId"), measuring: measures),
            OutputView(
                "customers_by_kyc_status", of: table, by: .column("currentKycStatus"), counting: .latest(of: "customerId"),
                measuring: measures),
            OutputView("customers_by_risk", of: table, by: bands, counting: .latest(of: "customerId"), measuring: measures),
            OutputView(
                "customers_by_event", of: table, by: .column("eventType"),
                measuring: [
                    .count("events"), .distinct("customers", of: "customerId"), .greatest("latestEvent", of: "eventTime"),
                ]),
        ]
    }

    private static var patternViews: [OutputView] {
        let table = CustomerTransactionMetrics.table
        let columns = [
            ("type", "transactionType", "transactionTypeCounts"), ("country", "country", "locationCounts"),
            ("device", "device", "deviceCounts"),
        ]
        return columns.map { name, column, counts in
            OutputView(
                "transaction_patterns_by_\(name)", of: table, by: .eachCounted(column, in: counts),
                measuring: [
                    .counted("transactions"), .distinct("customers", of: "customerId"), .count("windows"),
                ])
        }
    }
}
