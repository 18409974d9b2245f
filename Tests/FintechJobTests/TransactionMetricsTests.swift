import Engine
import FintechJob
import TestSupport
import Testing

@Suite("customer_transaction_metrics adds up exactly")
struct TransactionMetricsTests {
    private func metrics(_ transactions: [String]) throws -> [String: GoldenValue] {
        let rows = try JobRun.rows(of: "customer_transaction_metrics", transactions: transactions)
        try #require(rows.count == 1)
        return rows[0].columns
    }

    @Test(arguments: [
        (["0.01", "0.02"], "0.02"), (["-0.01", "-0.02"], "-0.02"), (["0.01", "0.00"], "0.01"), (["-0.01", "0.00"], "-0.01"),
        (["0.01", "0.00", "0.00"], "0.00"), (["0.01", "0.01", "0.00"], "0.01"), (["-1.00", "1.00"], "0.00"),
        (["10.00", "0.01", "0.00"], "3.34"),
    ])
    func theAverageRoundsHalvesAwayFromZero(amounts: [String], average: String) throws {
        #expect(try metrics(amounts.map { JobRun.transaction($0) })["averageAmount"] == .text(average))
    }

    @Test func sumsBeyond64BitsStayExact() throws {
        let one = JobRun.transaction("999999999999.99", #""risk_score":999999999999.99,"fee_amount":"-999999999999.99""#)
        let row = try metrics(Array(repeating: one, count: 100_000))
        #expect(row["totalAmount"] == .text("99999999999999000.00"))
        #expect(row["totalFees"] == .text("-99999999999999000.00"))
        #expect(row["averageAmount"] == .text("999999999999.99"))
        #expect(row["averageRiskScore"] == .number(999_999_999_999.99))
    }

    @Test func ofEquallyFrequentNamesTheByteWiseSmallestIsPreferred() throws {
        let row = try metrics([
            JobRun.transaction(type: "b", #""device_fingerprint":"é""#), JobRun.transaction(type: "a", #""device_fingerprint":"z""#),
            JobRun.transaction(type: "B", #""transaction_location":{"country":"US"}"#),
            JobRun.transaction(type: "ba", #""transaction_location":{"country":"U"}"#),
        ])
        #expect(row["preferredTransactionType"] == .text("B"))
        #expect(row["preferredDevice"] == .text("z"))
        #expect(row["preferredLocation"] == .text("U"))
        #expect(row["locationCounts"] == .object(["U": .number(1), "US": .number(1)]))
    }

    @Test func whatNobodyGaveIsUnknownAndNotCounted() throws {
        let row = try metrics([JobRun.transaction(), JobRun.transaction()])
        for column in ["preferredLocation", "preferredDevice"] { #expect(row[column] == .text("unknown")) }
        for column in ["locationCounts", "deviceCounts"] { #expect(row[column] == .object([:])) }
        #expect(row["uniqueMerchants"] == .number(0))
        #expect(row["totalFees"] == .text("0.00"))
    }

    @Test func theLastIsTheGreatestInTimeAndOfATieTheLaterInTheLog() throws {
        let row = try metrics([
            JobRun.transaction("1.00", at: 5000, type: "first"), JobRun.transaction("2.00", at: 7000, type: "tied"),
            JobRun.transaction("3.00", at: 7000, type: "last"), JobRun.transaction("4.00", at: 6999, type: "earlier"),
        ])
        #expect(row["lastTransactionType"] == .text("last"))
        #expect(row["lastTransactionAmount"] == .text("3.00"))
        #expect(row["firstTransactionAt"] == .number(5000))
        #expect(row["lastTransactionAt"] == .number(7000))
    }

    @Test func statusesAndMerchantsAreCounted() throws {
        let row = try metrics([
            JobRun.transaction(status: "completed", #""merchant_id":"m""#), JobRun.transaction(status: "failed", #""merchant_id":"m""#),
            JobRun.transaction(status: "pending", #""merchant_id":"n""#), JobRun.transaction(status: "reversed"),
            JobRun.transaction(status: "completed"), JobRun.transaction(status: "COMPLETED"),
        ])
        #expect(row["completedCount"] == .number(2))
        #expect(row["failedCount"] == .number(1))
        #expect(row["pendingCount"] == .number(1))
        #expect(row["successRate"] == .number(1.0 / 3.0))
        #expect(row["uniqueMerchants"] == .number(2))
        #expect(row["recentTransactionCount"] == .number(6))
        #expect(row["transactionVelocity"] == .number(720))
    }

    @Test(arguments: [
        (["10000.00", "0.00"], 0.0, "High Value"), (["10000.01", "-10000.00"], 20, "Low Value"), (["5000.00"], 0, "Medium Value"),
        (["5000.01"], 15, "Medium Value"), (["100000.00"], 35, "High Value"), (["100000.01"], 60, "High Value"),
        (["5000.00", "5000.01"], 15, "High Value"), (["4999.99", "5000.00"], 0, "Medium Value"),
        (Array(repeating: "1.00", count: 50), 0, "Low Value"), (Array(repeating: "1.00", count: 51), 15, "Low Value"),
        (["999.99"], 0, "Low Value"), (["1000.00"], 0, "Medium Value"), (["9999.99"], 15, "Medium Value"),
        (["20000.00"] + Array(repeating: "20000.00", count: 50), 75, "High Value"),
    ])
    func pointsAndTiersChangeExactlyAtTheirLimits(amounts: [String], points: Double, tier: String) throws {
        let row = try metrics(amounts.map { JobRun.transaction($0) })
        #expect(row["riskScore"] == .number(points))
        #expect(row["valueTier"] == .text(tier))
    }

    @Test func windowsAreHalfOpenAndAlignedTo1970() throws {
        let times: [Int64] = [0, 29_999, 30_000, 59_999, 90_000]
        let rows = try JobRun.rows(of: "customer_transaction_metrics", transactions: times.map { JobRun.transaction(at: $0) })
        let counts = rows.map {
            [$0.columns["windowStart"], $0.columns["windowEnd"], $0.columns["eventTime"], $0.columns["transactionCount"]]
        }
        #expect(
            counts
                == [[0, 30_000, 30_000, 2], [30_000, 60_000, 60_000, 2], [90_000, 120_000, 120_000, 1]].map { $0.map { .number($0) } })
    }
}
