import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Change events are understood, or said to be wrong")
struct ChangeCaseTests {
    private func run(_ name: String, _ change: (inout FintechSettings) -> Void = { _ in }) throws -> TopologyRun {
        var settings = FintechSettings.ofInserts
        settings.alertThreshold = 0
        change(&settings)
        let records = try ChangeCase.records(name)
        let run = TopologyRun(FintechJob.topology(settings: settings))
        try run.run { topic in records[topic] ?? [[]] }
        return run
    }

    private func rows(_ table: String, _ run: TopologyRun) throws -> [[String: GoldenValue]] {
        let tables = FintechJob.topology(settings: .ofInserts).tables
        return try GoldenRow.rows(of: tables.first { $0.name == table }!, in: run.chunks).map(\.columns)
    }

    @Test func whatTheDatabaseDidNotHandOverStaysAsItIsHeld() throws {
        let row = try #require(try rows("merchant_performance_analytics", run("unavailable-value")).first)
        #expect(row["merchantName"] == .text("Corner Cafe & Bar"))
        #expect(row["businessType"] == .text("retail") && row["country"] == .text("DE"))
    }

    @Test(arguments: [FintechSettings.Keying.customerID, .id], [nil, EventSpan.hours(24)])
    func aRowWhoseKeyChangedCountsOnce(keyedBy: FintechSettings.Keying, horizon: EventSpan?) throws {
        let run = try run("key-change") {
            $0.keyedBy = keyedBy
            $0.deduplicationHorizon = horizon
        }
        let merchants = try rows("merchant_performance_analytics", run)
        #expect(merchants.map { $0["totalAmount"] } == [.text("12.34")])
        #expect(run.counters.values.reduce(0) { $0 + ($1.skipped["key_change"] ?? 0) } == 1)
    }

    @Test func accountsOfMySQLAreJudgedAsThoseOfPostgreSQL() throws {
        let expected = try #require(try rows("fraud_detection_alerts", run("postgres-types")).first)
        #expect(expected["riskScore"] == .number(100))
        let actual = try #require(try rows("fraud_detection_alerts", run("mysql-types") { $0.form.decimals = .precise(scale: 2) }).first)
        for column in ["fraudTypes", "riskScore"] { #expect(actual[column] == expected[column]) }
        let merchant = try #require(try rows("merchant_performance_analytics", run("mysql-types")).first)
        #expect(merchant["mccCode"] == .text("5411") && merchant["isActive"] == .flag(true))
    }

    @Test func rulesThatCouldNotBeJudgedAreCounted() throws {
        let run = try run("mysql-types")
        let alert = try #require(try rows("fraud_detection_alerts", run).first)
        #expect(alert["fraudTypes"] == .list([.text("FROZEN_ACCOUNT"), .text("INACTIVE_ACCOUNT")]))
        let remarks = run.counters.values.flatMap(\.remarks.entries)
        #expect(Set(remarks.map(\.reason)) == ["unjudged_rule:EXCESSIVE_AMOUNT", "unjudged_rule:SUSPICIOUS_AMOUNT"])
        #expect(remarks.allSatisfy { RejectionCure.words(for: $0.reason) != nil })
    }

    @Test func digitsThatMayBeBase64AreTakenUntilBase64IsMetAndThatIsRemarked() throws {
        let run = try run("base64-digits")
        #expect(try rows("rejected_records", run).map { $0["reason"] } == [.text("bad_value:amount")])
        let remarks = run.counters.values.flatMap(\.remarks.entries)
        #expect(
            remarks.map { "\($0.reason) \($0.count) \($0.offset ?? -1)" }.sorted() == [
                "ambiguous_decimal:amount 5 4", "base64_decimal:amount 1 5",
            ])
        let exact = try self.run("base64-digits") { $0.form.decimals = .precise(scale: 2) }
        let row = try #require(try rows("customer_transaction_metrics", exact).first)
        #expect(
            try rows("rejected_records", exact).isEmpty && row["minAmount"] == .text("-29293.56") && row["maxAmount"] == .text("1000.00"))
    }

    @Test func aNumberWithAnExponentMayBeBase64Too() throws {
        let task = FintechTask()
        try task.process(JobRun.transaction("1e10"), JobRun.transaction("AYag"), JobRun.transaction("1e10"), JobRun.transaction("-1e1"))
        #expect(task.counters.remarks["ambiguous_decimal:amount"]?.count == 1 && task.counters.reasons["bad_value:amount"]?.count == 2)
        var settings = FintechSettings.ofInserts
        settings.form.decimals = .precise(scale: 2)
        let precise = FintechTask(settings)
        try precise.process(JobRun.transaction("1e10"))
        try precise.raiseWatermark(to: 60_000)
        #expect(try precise.rows(of: "customer_transaction_metrics").map { $0.columns["totalAmount"] } == [.text("-27572.60")])
    }

    @Test func aKeyThatChangedIsNoFactWithoutAnOperationEither() throws {
        let run = TopologyRun(FintechJob.topology(settings: .ofInserts))
        let record = TestRecord(JobRun.transaction(), headers: ["__debezium.oldkey": "{}"])
        try run.run { topic in topic.hasSuffix("transactions") ? [[record]] : [[]] }
        #expect(run.counters.values.reduce(0) { $0 + ($1.skipped["key_change"] ?? 0) } == 1)
    }

    @Test func whatIsSkippedForItsOperationAndTimesThatMayBeSecondsAreRemarked() throws {
        let task = FintechTask()
        try task.process(#"{"__op":"INSERT","id":"x"}"#, JobRun.transaction(at: 1_796_080_733))
        #expect(task.counters.remarks.entries.map(\.reason).sorted() == ["maybe_seconds:created_at", "unknown_operation"])
    }

    @Test func sessionsAreRemarkedOnToo() throws {
        let task = FintechTask(stage: "sessions")
        try task.process(#"{"__op":"INSERT","id":"x"}"#, JobRun.session("a", at: 1_796_080_733))
        #expect(task.counters.remarks.entries.map(\.reason).sorted() == ["maybe_seconds:started_at", "unknown_operation"])
    }

    /// A session that changed its customer is held for both, and a deletion by its id ends both.
    @Test func aSessionDeletedByItsIDIsNobodysAnyMore() {
        let task = FintechTask()
        func session(_ id: String, _ customer: String, at: Int) -> String {
            #"{"id":"\#(id)","customer_id":"\#(customer)","started_at":\#(at)}"#
        }
        task.apply("sessions", #"{"op":"d","before":{"id":"none"},"after":null}"#)
        task.apply("sessions", session("s1", "A", at: 1))
        task.apply("sessions", session("s1", "B", at: 1))
        task.apply("sessions", session("s2", "A", at: 2))
        task.apply("sessions", #"{"op":"d","before":{"id":"s1"},"after":null}"#)
        #expect(task.count(of: "sessions") == 1)
        task.apply("sessions", session("s3", "C", at: 1))
        #expect(task.apply("sessions", "", key: #"{"customer_id":"X","id":"s3"}"#) == .ignored)
        #expect(task.count(of: "sessions") == 2)
    }

    /// Also after a restart: what was met is in the state.
    @Test func afterBase64DigitsAreRefused() throws {
        func transaction(_ id: Int, _ amount: String) -> String {
            JobRun.transaction(amount, at: Int64(id))
        }
        let task = FintechTask()
        try task.process(
            transaction(1, "1000"), transaction(2, "AYag"), transaction(3, "1000"), transaction(4, "10.00"), transaction(5, "100"))
        #expect(task.counters.reasons["bad_value:amount"]?.count == 2)
        task.cut()
        let after = try FintechTask(after: task)
        try after.process(transaction(6, "1000"), transaction(7, "10.00"))
        #expect(after.counters.reasons["bad_value:amount"]?.count == 1)
    }

    @Test(arguments: ["delete-without-images", "truncate-without-images"])
    func anEventWithoutImagesIsNoRow(name: String) throws {
        let run = try run(name)
        let row = try #require(try rows("merchant_performance_analytics", run).first)
        #expect(row["merchantName"] == .text("") && row["country"] == .text("UNKNOWN"))
        #expect(try rows("rejected_records", run).isEmpty)
    }
}
