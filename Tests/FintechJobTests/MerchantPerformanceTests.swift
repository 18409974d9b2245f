import Engine
import FintechJob
import TestSupport
import Testing

@Suite("merchant_performance_analytics merges the windows of all customers' tasks, in order")
struct MerchantPerformanceTests {
    private func rows(_ partitions: [[String]]) throws -> [[String: GoldenValue]] {
        let topology = FintechJob.topology(settings: FintechSettings.ofInserts)
        let run = TopologyRun(topology)
        try run.run { topic in
            topic == "fintech.public.transactions" ? partitions.map { $0.map { Array($0.utf8) } } : [[]]
        }
        let table = try #require(topology.tables.first { $0.name == "merchant_performance_analytics" })
        return try GoldenRow.rows(of: table, in: run.chunks).map(\.columns)
    }

    private func sale(
        _ amount: String = "1.00", at milliseconds: Int64 = 0, of customer: String = "c", status: String = "completed", risk: String = "0",
        merchant: String = "m"
    ) -> String {
        #"{"id":"i","customer_id":"\#(customer)","amount":"\#(amount)","created_at":\#(milliseconds),"transaction_type":"t","status":"\#(status)","risk_score":\#(risk),"merchant_id":"\#(merchant)"}"#
    }

    @Test func partialsOfAllTasksAddUp() throws {
        let all = try rows([
            [sale("2.00", of: "a"), sale("4.00", of: "a", status: "failed", risk: "10"), sale("1.00", of: "b", status: "pending")],
            [sale("-3.00", at: 59_999, of: "c"), sale("9.00", of: "d", risk: "30.50")], [],
        ])
        try #require(all.count == 1)
        let row = all[0]
        #expect(row["transactionCount"] == .number(5))
        #expect(row["totalAmount"] == .text("13.00"))
        #expect(row["averageAmount"] == .text("2.60"))
        #expect([row["minAmount"], row["maxAmount"]] == [.text("-3.00"), .text("9.00")])
        #expect([row["completedCount"], row["failedCount"]] == [.number(3), .number(1)])
        #expect(row["successRate"] == .number(0.6))
        #expect(row["averageRiskScore"] == .number(4050.0 / 500.0))
        #expect(row["uniqueCustomers"] == .number(4))
        #expect([row["windowStart"], row["windowEnd"], row["eventTime"]] == [.number(0), .number(60_000), .number(60_000)])
    }

    @Test func aCustomerCountsAnewInEachWindowAndForEachMerchant() throws {
        let all = try rows([
            [sale(of: "a"), sale(of: "a", merchant: "n"), sale(at: 60_000, of: "a"), sale(at: 60_000, of: "a"), sale(of: "a")]
        ])
        #expect(all.map { $0["uniqueCustomers"] } == [.number(1), .number(1), .number(1)])
        #expect(all.compactMap { $0["transactionCount"] }.contains(.number(2)))
    }

    @Test func windowsOfAMerchantCloseInOrderHoweverFarApartTheTasksAre() throws {
        let day: Int64 = 86_400_000
        // One task is done with its windows a day before the other begins: they wait for it, and accumulate in order.
        let all = try rows([
            [sale("1.00", at: 0), sale("2.00", at: 60_000), sale("4.00", at: day)],
            [sale("8.00", at: 60_000, of: "d"), sale("16.00", at: 120_000, of: "d")], [],
        ])
        #expect(all.map { $0["eventTime"] } == [60_000, 120_000, 180_000, Double(day) + 60_000].map { .number($0) })
        #expect(all.map { $0["cumulativeAmount"] } == ["1.00", "11.00", "27.00", "31.00"].map { .text($0) })
        #expect(all.map { $0["cumulativeCount"] } == [1, 3, 4, 5].map { .number($0) })
    }

    @Test(arguments: [
        (["failed", "failed", "completed"], "100", "High Failure Rate"), (["failed", "completed"], "100", "Low Success Rate"),
        (["completed", "completed", "completed", "completed", "pending"], "70.01", "High Risk"), (["pending"], "0", "Low Success Rate"),
        (["completed", "completed", "completed", "completed", "failed"], "70", "Normal"),
    ])
    func theFirstAnomalyThatHoldsIsNamed(statuses: [String], risk: String, anomaly: String) throws {
        let all = try rows([statuses.map { sale(status: $0, risk: risk) }])
        #expect(all.map { $0["anomalyType"] } == [.text(anomaly)])
        #expect(all.map { $0["isAnomaly"] } == [.flag(anomaly != "Normal")])
    }

    @Test(arguments: [
        (1, "10000.00", "MEDIUM_RISK", "MINIMAL_ACTIVITY"), (1, "5000.00", "LOW_RISK", "MINIMAL_ACTIVITY"),
        (1, "5000.01", "MEDIUM_RISK", "MINIMAL_ACTIVITY"),
        (1, "10000.01", "HIGH_RISK", "MINIMAL_ACTIVITY"), (100, "1000.00", "LOW_RISK", "MINIMAL_ACTIVITY"),
        (101, "1000.00", "LOW_RISK", "LOW_PERFORMANCE"),
        (500, "1000.00", "LOW_RISK", "LOW_PERFORMANCE"), (501, "1000.00", "LOW_RISK", "MEDIUM_PERFORMANCE"),
        (501, "90.00", "LOW_RISK", "LOW_PERFORMANCE"),
        (1001, "100.00", "LOW_RISK", "HIGH_PERFORMANCE"), (1001, "99.00", "LOW_RISK", "MEDIUM_PERFORMANCE"),
    ])
    func levelsGoByWhatCameSoFar(count: Int, amount: String, risk: String, performance: String) throws {
        let all = try rows([(0..<count).map { sale(amount, at: $0 < count / 2 ? 0 : 60_000) }])
        let last = try #require(all.last)
        #expect(last["performanceLevel"] == .text(performance))
        #expect(last["riskLevel"] == .text(risk))
    }

    @Test func aMerchantThatNobodyKnowsAndTransactionsWithoutOne() throws {
        let all = try rows([[sale(), JobRun.transaction()]])
        try #require(all.count == 1)
        #expect(["merchantName", "businessType", "mccCode", "country"].map { all[0][$0] } == ["", "", "", "UNKNOWN"].map { .text($0) })
        #expect(all[0]["isActive"] == .flag(false))
        #expect(all[0]["transactionCount"] == .number(1))
    }
}
