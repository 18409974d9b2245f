import Engine
import FintechJob
import TestSupport
import Testing

@Suite("A customer's way follows transactions, profile and session as they are at the time")
struct LifecycleTests {
    private static let day: Int64 = 86_400_000
    private static let churn = 30 * day

    private func session(_ id: String, at time: Int64, _ channel: String, actions: Int = 0) -> String {
        JobRun.session(id, at: time, #""channel":"\#(channel)","actions_count":\#(actions)"#)
    }

    @Test func anotherChannelIsReportedOnceAndFromTheSecondOn() throws {
        let task = FintechTask()
        try task.process(JobRun.transaction(at: 0))
        task.apply("sessions", session("s1", at: 1, "web"))
        try task.process(JobRun.transaction(at: 1))
        task.apply("sessions", session("s2", at: 2, "atm"))
        try task.process(JobRun.transaction(at: 2), JobRun.transaction(at: 3))
        task.apply("sessions", #"{"id":"s3","customer_id":"c","started_at":3}"#)
        try task.process(JobRun.transaction(at: 4))
        task.apply("sessions", session("s4", at: 4, "atm"))
        try task.process(JobRun.transaction(at: 5))
        task.apply("sessions", session("s5", at: 5, "web"))
        try task.process(JobRun.transaction(at: 6))
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION 0", "MULTI_CHANNEL_CUSTOMER 2", "MULTI_CHANNEL_CUSTOMER 6"])
        let rows = try task.rows(of: "customer_lifecycle_analytics")
        #expect(rows.map { $0.columns["channel"] } == ["unknown", "atm", "web"].map { .text($0) })
    }

    @Test func aBusySessionIsReportedOnceAndWhenItBecomesBusy() throws {
        let task = FintechTask()
        task.apply("sessions", session("s1", at: 1, "web", actions: 20))
        try task.process(JobRun.transaction(at: 0))
        task.apply("sessions", session("s1", at: 1, "web", actions: 21))
        try task.process(JobRun.transaction(at: 1), JobRun.transaction(at: 2))
        task.apply("sessions", session("s0", at: 0, "web", actions: 99))
        try task.process(JobRun.transaction(at: 3))
        task.apply("sessions", session("s2", at: 2, "web", actions: 22))
        try task.process(JobRun.transaction(at: 4))
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION 0", "HIGH_ENGAGEMENT_SESSION 1", "HIGH_ENGAGEMENT_SESSION 4"])
    }

    @Test func theProfileIsReadAtEachRowAndItsStatusAtTheFirstTransactionOnly() throws {
        let task = FintechTask()
        task.apply("customers", #"{"id":"c","kyc_status":"rejected","tier":"gold","risk_score":"10.50"}"#)
        try task.process(JobRun.transaction(at: 0))
        task.apply("customers", #"{"id":"c","kyc_status":"verified","risk_score":"30.25"}"#)
        try task.process(JobRun.transaction("1000.00", at: 7000))
        task.apply("customers", "", key: "c")
        try task.process(JobRun.transaction("0.00", at: 6000), JobRun.transaction("-10000.00", at: 5000))
        let rows = try task.rows(of: "customer_lifecycle_analytics")
        #expect(rows.map { $0.columns["eventType"] } == ["FIRST_TRANSACTION", "TIER_UPGRADE", "TIER_DOWNGRADE"].map { .text($0) })
        #expect(rows.map { $0.columns["riskScore"] } == [10.5, 30.25, 0].map { .number($0) })
        #expect(rows.map { $0.columns["riskScoreChange"] } == [0, 19.75, -30.25].map { .number($0) })
        #expect(rows.map { $0.columns["profileTier"] } == ["gold", "unknown", "unknown"].map { .text($0) })
        #expect(rows.map { $0.columns["currentKycStatus"] } == ["rejected", "rejected", "rejected"].map { .text($0) })
        #expect(rows.map { $0.columns["timeSinceLastUpdate"] } == [0, 7000, 0].map { .number($0) })
        #expect(rows.map { $0.columns["previousTier"] } == ["basic", "basic", "standard"].map { .text($0) })
    }

    @Test func aCustomerIsLostOnceWhenTheWatermarkIsThereAndComesBack() throws {
        let task = FintechTask()
        try task.process(JobRun.transaction(at: 1000), JobRun.transaction(at: 500))
        try task.raiseWatermark(to: LifecycleTests.churn + 499)
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION 1000"])
        task.apply("sessions", session("s1", at: 1, "web"))
        // The latest in the log counts, not the greatest.
        try task.raiseWatermark(to: LifecycleTests.churn + 500)
        let lost = "CUSTOMER_CHURNED \(LifecycleTests.churn + 500)"
        #expect(try task.lifecycle().last == lost)
        #expect(try task.rows(of: "customer_lifecycle_analytics").last?.columns["channel"] == .text("web"))
        try task.raiseWatermark(to: 3 * LifecycleTests.churn)
        #expect(try task.lifecycle().count == 2)
        try task.process(JobRun.transaction(at: 4 * LifecycleTests.churn))
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION 1000", lost, "REACTIVATED \(4 * LifecycleTests.churn)"])
    }

    @Test func theEndOfABoundedRunLosesNobodyButTheNextRecordMay() throws {
        let task = FintechTask()
        try task.process(JobRun.transaction(at: 0))
        try task.raiseWatermark(to: 2 * LifecycleTests.churn, firingTimers: false)
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION 0"])
        let next = JobRun.transaction(at: 2 * LifecycleTests.churn).replacing(#""customer_id":"c""#, with: #""customer_id":"d""#)
        try task.process(next)
        #expect(
            try task.lifecycle() == [
                "FIRST_TRANSACTION 0", "FIRST_TRANSACTION \(2 * LifecycleTests.churn)", "CUSTOMER_CHURNED \(LifecycleTests.churn)",
            ])
    }

    @Test func aTransactionFromLongAgoIsFollowedByTheLossAtOnce() throws {
        let task = FintechTask()
        let now = 100 * LifecycleTests.day
        try task.process(JobRun.transaction(at: now))
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION \(now)"])
        try task.process(JobRun.transaction(at: 1), JobRun.transaction(at: now + 1))
        // Rows of another month stand in a chunk of their own.
        #expect(try task.lifecycle().dropFirst().sorted() == ["CUSTOMER_CHURNED \(LifecycleTests.churn + 1)", "REACTIVATED \(now + 1)"])
    }

    @Test func timersLiveThroughARestart() throws {
        var settings = FintechSettings.ofInserts
        settings.churnAfter = .seconds(60)
        let before = FintechTask(settings)
        try before.process(JobRun.transaction(at: 0))
        before.cut()
        try before.process(JobRun.transaction(at: 9000))
        before.cut()
        let after = try FintechTask(after: before, settings)
        try after.raiseWatermark(to: 60_000)
        #expect(try after.lifecycle() == [])
        try after.raiseWatermark(to: 70_000)
        #expect(try after.lifecycle() == ["CUSTOMER_CHURNED 69000"])
        let again = try FintechTask(after: after, settings)
        try again.raiseWatermark(to: 1_000_000)
        #expect(try again.lifecycle() == [], "once is once, also after a restart")
        try again.process(JobRun.transaction(at: 2_000_000))
        #expect(try again.lifecycle() == ["REACTIVATED 2000000"])
    }
}
