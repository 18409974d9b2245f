import Engine
import FintechJob
import TestSupport
import Testing

@Suite("The watermark follows what is processed, and what comes after it has closed a window is late there and nowhere else")
struct WatermarkTests {
    private static let base: Int64 = 1_736_942_400_000

    @Test func itIsTheGreatestTimeLessTheOutOfOrdernessAndNeverMovesBack() throws {
        var settings = FintechSettings.ofInserts
        settings.outOfOrderness = .seconds(7)
        let transactions = FintechTask(settings)
        #expect(transactions.watermark == nil)
        try transactions.process(JobRun.transaction(at: 100_000))
        #expect(transactions.watermark == 93_000)
        try transactions.process(JobRun.transaction(at: 50_000), JobRun.transaction(at: 99_999))
        #expect(transactions.watermark == 93_000)
        try transactions.process(JobRun.transaction(at: 100_001))
        #expect(transactions.watermark == 93_001)

        let sessions = FintechTask(settings, stage: "sessions")
        try sessions.process(
            JobRun.session("s", at: 100_000, #""ended_at":900000"#), JobRun.session("t", at: 90_000, #""ended_at":950000"#))
        #expect(sessions.watermark == 93_000, "its start counts, not its end")
    }

    private static let later = base + 600_000

    @Test(
        "Only records that are processed move it",
        arguments: [
            #"{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t","status":"s","__op":"u"}"#,
            #"{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t","status":"s","__deleted":"true"}"#,
            #"{"before":null,"after":{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t","status":"s"},"op":"u"}"#,
            #"{"before":null,"after":{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t","status":"s"},"op":"x"}"#,
            #"{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t","status":"s""#,
            #"{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t"}"#,
            #"{"id":"i","customer_id":"c","amount":"1","created_at":\#(later),"transaction_type":"t","status":"s","fee_amount":"x"}"#,
            // More than time.maxAhead after the record's own timestamp.
            #"{"id":"i","customer_id":"c","amount":"1","created_at":\#(base + 3_600_001),"transaction_type":"t","status":"s"}"#,
            "null", "",
        ])
    func whatIsSkippedOrRejected(value: String) throws {
        let task = FintechTask()
        let time = EventTime(milliseconds: WatermarkTests.base)
        try task.process(JobRun.transaction(at: WatermarkTests.base), timestamp: time)
        try task.process(value, timestamp: time)
        #expect(task.watermark == WatermarkTests.base - 5_000)
        #expect(task.counters.records == 2 && task.counters.rejected + task.counters.skipped.values.reduce(0, +) == 1)
        try task.process(JobRun.transaction(at: WatermarkTests.base + 3_600_000), timestamp: time)
        #expect(task.watermark == WatermarkTests.base + 3_595_000, "no more than maxAhead ahead is right")
    }

    @Test("nor does one that is ahead of the clock, whatever its Kafka time says", arguments: ["transactions", "sessions"] as [StageName])
    func whatIsAheadOfTheClock(stage: StageName) throws {
        let now = EventTime(milliseconds: WatermarkTests.base)
        let far: Int64 = 4_271_000_000_000
        func record(at time: Int64) -> String { stage == "sessions" ? JobRun.session("s\(time)", at: time) : JobRun.transaction(at: time) }
        let task = FintechTask(stage: stage)
        try task.process(
            record(at: WatermarkTests.base), record(at: far), record(at: WatermarkTests.base + 1), timestamp: EventTime(milliseconds: far),
            at: now)
        #expect(task.watermark == WatermarkTests.base - 4_999 && task.counters.rejected == 1 && task.counters.late == 0)
        var settings = FintechSettings.ofInserts
        settings.maxAhead = nil
        let replay = FintechTask(settings, stage: stage)
        try replay.process(record(at: far), timestamp: now, at: now)
        #expect(replay.watermark == far - 5_000, "off is for those who replay a future")
    }

    @Test func aRecordIsProcessedBeforeTheWatermarkThatItBrings() throws {
        let task = FintechTask()
        let day: Int64 = 86_400_000
        // The second brings a watermark beyond the time at which the customer would count as lost, but is there first.
        try task.process(JobRun.transaction(at: 0), JobRun.transaction(at: 31 * day))
        #expect(task.watermark == 31 * day - 5_000)
        #expect(try task.lifecycle() == ["FIRST_TRANSACTION 0"])
    }

    private func counts(_ task: FintechTask) throws -> [GoldenValue?] {
        try task.rows(of: "customer_transaction_metrics").map { $0.columns["transactionCount"] }
    }

    @Test func aRecordIsLateWhenTheWatermarkHadReachedItsWindowsEnd() throws {
        let task = FintechTask()
        // The watermark is 29,999: one short of the end.
        try task.process(JobRun.transaction(at: 34_999), JobRun.transaction(at: 29_999))
        #expect(task.counters.late == 0)
        #expect(try counts(task) == [])
        try task.process(JobRun.transaction(at: 35_000))
        #expect(try counts(task) == [.number(1)], "the window closes when the watermark reaches its end")
        try task.process(JobRun.transaction(at: 29_999), JobRun.transaction(at: 30_000))
        #expect(task.counters.late == 1)
        let rejected = try task.rows(of: "rejected_records")
        #expect(rejected.map { $0.columns["reason"] } == [.text("late")] && rejected.map { $0.columns["offset"] } == [.number(3)])
    }

    @Test func aWindowThatWasTooLateForItLeavesARecordToTheOthers() throws {
        var settings = FintechSettings.ofInserts
        settings.alertThreshold = 0
        let task = FintechTask(settings)
        let sale = JobRun.transaction("9.00", at: 1_000, #""merchant_id":"m""#)
        // Late for the customer's 30 s, in time for the merchant's minute.
        try task.process(JobRun.transaction(at: 40_000, #""merchant_id":"m""#), sale)
        #expect(task.counters.late == 1)
        #expect(try task.rows(of: "fraud_detection_alerts").map { $0.columns["detectionTime"] } == [.number(40_000), .number(1_000)])
        #expect(try task.rows(of: "rejected_records").count == 1, "once, although a processor was too late for it")
        try task.raiseWatermark(to: 60_000)
        let sent = task.cut().sent
        #expect(sent.map(\.count) == [1])
        // Late for both: rejected once.
        try task.process(sale)
        #expect(try task.rows(of: "rejected_records").count == 2)
        #expect(task.cut().sent.isEmpty)
    }

    @Test func aMerchantsPartialIsSentOnceWhenItsWindowCloses() throws {
        let task = FintechTask()
        let (m, n) = (#""merchant_id":"m""#, #""merchant_id":"n""#)
        try task.process(JobRun.transaction(at: 0, m), JobRun.transaction(at: 59_999, m), JobRun.transaction(at: 30_000, n))
        try task.process(JobRun.transaction(at: 64_999, m))
        #expect(task.cut().sent.isEmpty, "the watermark is one short of the end")
        try task.process(JobRun.transaction(at: 65_000))
        // One for each merchant and window, however many transactions it adds up.
        #expect(task.cut().sent.reduce(0) { $0 + $1.count } == 2)
        try task.raiseWatermark(to: 119_999)
        #expect(task.cut().sent.isEmpty)
        try task.raiseWatermark(to: 120_000)
        #expect(task.cut().sent.map(\.count) == [1])
    }
}
