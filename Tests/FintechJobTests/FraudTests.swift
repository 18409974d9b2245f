import Engine
import FintechJob
import Simulation
import TestSupport
import Testing

@Suite("Fraud alerts are exact and what is kept for them is small")
struct FraudTests {
    @Test func detailsAreJSONWhateverTheTextsHold() throws {
        var settings = FintechSettings.ofInserts
        settings.alertThreshold = 0
        let more = #""device_fingerprint":"\"\\\u0001\u001f\n\u00e9/","transaction_location":{"country":"\ud83d\ude80"}"#
        let row = try #require(
            JobRun.rows(
                of: "fraud_detection_alerts", transactions: [JobRun.transaction("-0.05", type: #"t\u000bx"#, more)], settings: settings
            ).first)
        let details = try #require(row.columns["fraudDetails"])
        #expect(
            details
                == .text(#"{"amount":"-0.05","city":null,"country":"🚀","device":"\"\\\u0001\u001f\u000aé/","transactionType":"t\u000bx"}"#))
        guard case .object(let shown)? = try row.shownInGolden().columns["fraudDetails"] else {
            Issue.record("no JSON object")
            return
        }
        #expect(shown["device"] == .text("\"\\\u{1}\u{1f}\né/"))
    }

    @Test(arguments: [
        ("0.00", "0.00"), ("9.99", "9.99"), ("10", "10.00"), ("-1234567.8", "-1234567.80"), ("999999999999.99", "999999999999.99"),
    ])
    func detailsShowTheAmountWithTwoDecimals(_ amount: String, _ shown: String) throws {
        var settings = FintechSettings.ofInserts
        settings.alertThreshold = 0
        let row = try #require(
            JobRun.rows(of: "fraud_detection_alerts", transactions: [JobRun.transaction(amount)], settings: settings).first)
        guard case .object(let details)? = try row.shownInGolden().columns["fraudDetails"] else {
            Issue.record("no JSON object")
            return
        }
        #expect(details["amount"] == .text(shown))
    }

    @Test func anAccountCountsAsItIsAtTheTransaction() throws {
        var settings = FintechSettings.ofInserts
        settings.alertThreshold = 0
        let task = FintechTask(settings)
        let transaction = JobRun.transaction("1.00", #""from_account_id":"a","to_account_id":"b""#)
        try task.process(transaction)
        task.apply("accounts", #"{"id":"b","is_active":false}"#)
        try task.process(transaction)
        task.apply("accounts", #"{"id":"a","is_frozen":true}"#)
        try task.process(transaction)
        task.apply("accounts", "", key: "a")
        try task.process(transaction)
        let rows = try task.rows(of: "fraud_detection_alerts")
        #expect(rows.map { $0.columns["accountId"] } == ["", "b", "a", "b"].map { .text($0) })
        let rapid = "RAPID_TRANSACTIONS"
        let types = [[], [rapid, "INACTIVE_ACCOUNT"], [rapid, "FROZEN_ACCOUNT"], [rapid, "INACTIVE_ACCOUNT"]]
        #expect(rows.map { $0.columns["fraudTypes"] } == types.map { .list($0.map { .text($0) }) })
    }

    /// Of each, 32 would be kept if a smaller number did not always say the same.
    @Test func whatIsForgottenOfDevicesAndCountriesChangesNothing() throws {
        var settings = FintechSettings.ofInserts
        settings.alertThreshold = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let visits = (0..<300).map { _ in
                (device: random.number(in: 1...10), country: random.number(in: 1...12), time: Int64(random.number(in: 1...80)) * 3_600_000)
            }
            let task = FintechTask(settings)
            var (devices, countries): ([Int: Int64], [Int: Int64]) = ([:], [:])
            var expected: [[Bool]] = []
            for (device, country, time) in visits {
                try task.process(
                    JobRun.transaction(at: time, #""device_fingerprint":"d\#(device)","transaction_location":{"country":"c\#(country)"}"#))
                devices[device] = max(devices[device] ?? 0, time)
                countries[country] = max(countries[country] ?? 0, time)
                let day = time - 24 * 3_600_000
                expected.append([countries.values.count { $0 > day } > 5, devices.values.count { $0 > day } > 3])
            }
            let actual = try task.rows(of: "fraud_detection_alerts").map { row -> [Bool] in
                guard case .list(let types) = row.columns["fraudTypes"] else { return [] }
                return [types.contains(.text("MULTIPLE_LOCATIONS")), types.contains(.text("MULTIPLE_DEVICES"))]
            }
            #expect(actual == expected, "seed \(seed)")
        }
    }

    @Test func whatIsKeptOfACustomerIsSmall() throws {
        let sizes = try recordSizes(in: "fraud_detection_alerts", values: GoldenCase.basic.input("fintech.public.transactions")[0])
        #expect(sizes.count == 80)
        #expect(sizes.max()! <= 400 && sizes.reduce(0, +) / sizes.count <= 200, "\(sizes)")
        // As much as there can be: every hour of a day, amounts and countries of their own, all far apart.
        let busy = (0..<64).map { index in
            let more = #""device_fingerprint":"FP8a5d63c38cd09\#(1000 + index)","transaction_location":{"country":"C\#(index)"}"#
            return Array(JobRun.transaction("\((index % 2 * 2 - 1) * 999_999_999)", at: Int64(index) * 1_800_000, more).utf8)
        }
        let greatest = try recordSizes(in: "fraud_detection_alerts", values: busy)
        #expect(greatest.allSatisfy { $0 <= 700 }, "\(greatest)")
    }

    /// How many bytes the records of a state table take.
    private func recordSizes(in table: String, values: [[UInt8]]) throws -> [Int] {
        let task = FintechTask()
        for value in values { try task.process(String(decoding: value, as: UTF8.self)) }
        task.cut()
        var sizes: [Int] = []
        for delta in task.deltas where delta.table == table {
            let isWhole = delta.bytes.withUnsafeBytes { bytes in
                StateDelta.forEachChange(in: ByteView(bytes)) { change in
                    if case .stored(_, let record) = change { sizes.append(record.count) }
                }
            }
            #expect(isWhole)
        }
        return sizes
    }
}
