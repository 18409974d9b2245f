import Engine
import FintechJob
import TestSupport
import Testing

@Suite("A status that changes later moves the counts of open windows, once")
struct StatusUpdateTests {
    private static func settings(_ keyedBy: FintechSettings.Keying = .customerID, horizon: EventSpan? = nil) -> FintechSettings {
        var settings = FintechSettings()
        settings.keyedBy = keyedBy
        settings.statusUpdates = true
        settings.deduplicationHorizon = horizon
        settings.alertThreshold = 0
        return settings
    }

    private struct Outcome {
        let settings: FintechSettings
        let run: TopologyRun

        init(_ records: [String], _ settings: FintechSettings) throws {
            self.settings = settings
            run = TopologyRun(FintechJob.topology(settings: settings))
            try run.run(values: { topic in [topic == "fintech.public.transactions" ? records.map { Array($0.utf8) } : []] })
        }

        func rows(_ table: String) throws -> [[String: GoldenValue]] {
            let tables = FintechJob.topology(settings: settings).tables
            return try GoldenRow.rows(of: tables.first { $0.name == table }!, in: run.chunks).map(\.columns)
        }

        /// Of each of the customers' windows: all, completed, failed, pending.
        func counts() throws -> [String] { try StatusUpdateTests.counts(rows("customer_transaction_metrics")) }

        /// Of each of the merchants' windows: all, completed, failed.
        func merchantCounts() throws -> [String] {
            try StatusUpdateTests.counts(rows("merchant_performance_analytics"), "completedCount", "failedCount")
        }

        /// Of all tasks, by name.
        var skipped: [String: UInt64] {
            run.counters.values.reduce(into: [:]) { all, counters in all.merge(counters.skipped) { $0 + $1 } }
        }
    }

    private static func counts(_ rows: [[String: GoldenValue]], _ columns: String...) -> [String] {
        let columns = columns.isEmpty ? ["completedCount", "failedCount", "pendingCount"] : columns
        return rows.map { row in (["transactionCount"] + columns).map { row[$0]!.description }.joined(separator: " ") }
    }

    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func itMovesThemForCustomerAndMerchant(keyedBy: FintechSettings.Keying) throws {
        let records = [
            ChangeText.created("1", "pending"), ChangeText.created("2", "pending", at: 1), ChangeText.created("3", "cancelled", at: 2),
            ChangeText.updated("1", "pending", "completed"), ChangeText.updated("2", "pending", "failed", at: 1),
            ChangeText.updated("3", "cancelled", "refunded", at: 2), ChangeText.updated("2", "failed", "cancelled", at: 1),
        ]
        let outcome = try Outcome(records, StatusUpdateTests.settings(keyedBy))
        #expect(try outcome.counts() == ["3 1 0 0"] && outcome.merchantCounts() == ["3 1 0"])
        #expect(outcome.skipped == ["update": 1], "one that changes nothing that is counted")
        let row = try #require(try outcome.rows("customer_transaction_metrics").first)
        #expect(
            row["successRate"] == .number(1.0 / 3) && row["totalAmount"] == .text("3.00")
                && row["transactionTypeCounts"] == .object(["t": .number(3)]))
        var off = StatusUpdateTests.settings(keyedBy)
        off.statusUpdates = false
        let without = try Outcome(records, off)
        #expect(try without.counts() == ["3 0 0 2"] && without.skipped == ["update": 4])
    }

    /// Nor does it move a watermark.
    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func fraudAndLifecycleDoNotLookAtIt(keyedBy: FintechSettings.Keying) throws {
        let settings = StatusUpdateTests.settings(keyedBy)
        let created = ChangeText.created("1", "pending")
        let records = [
            created, ChangeText.updated("1", "pending", "completed"), ChangeText.updated("9", "pending", "completed", at: 900_000),
            ChangeText.created("2", "pending", at: 10),
        ]
        let (with, without) = (try Outcome(records, settings), try Outcome([created, records[3]], settings))
        for table in ["fraud_detection_alerts", "customer_lifecycle_analytics"] {
            #expect(try with.rows(table) == without.rows(table), "\(table)")
        }
        #expect(try with.counts() == ["2 1 0 1"] && with.rows("rejected_records").isEmpty)
    }

    /// As Debezium sends records again after a crash, from anywhere on.
    @Test(arguments: [FintechSettings.Keying.customerID, .id], [nil, EventSpan.hours(24)])
    func aCopyMovesNothing(keyedBy: FintechSettings.Keying, horizon: EventSpan?) throws {
        let updates = [ChangeText.updated("1", "pending", "processing"), ChangeText.updated("1", "processing", "completed")]
        let records = [ChangeText.created("1", "pending"), ChangeText.created("2", "pending")] + updates + updates + [updates[1]]
        let outcome = try Outcome(records, StatusUpdateTests.settings(keyedBy, horizon: horizon))
        #expect(try outcome.counts() == ["2 1 0 1"] && outcome.merchantCounts() == ["2 1 0"])
        #expect(outcome.skipped.values.reduce(0, +) == 3)
        // With the creation among the copies, which is dropped, too.
        guard horizon != nil else { return }
        let all = try Outcome(records + records, StatusUpdateTests.settings(keyedBy, horizon: horizon))
        #expect(try all.counts() == ["2 1 0 1"] && all.merchantCounts() == ["2 1 0"])
    }

    /// Where the log's position is known, also the copies of a status that went to and fro move nothing, not even in between.
    @Test func copiesOfAStatusThatWentToAndFroMoveNothing() throws {
        let ways = [("pending", "completed"), ("completed", "pending"), ("pending", "completed")]
        let updates = ways.enumerated().map { ChangeText.updated("1", $1.0, $1.1, position: 100 + $0) }
        for copies in [[], [updates[0]], [updates[0], updates[1]], updates] {
            let outcome = try Outcome(
                [ChangeText.created("1", "pending")] + updates + copies, StatusUpdateTests.settings(horizon: .hours(1)))
            #expect(try outcome.counts() == ["1 1 0 0"])
            #expect(outcome.skipped["duplicate", default: 0] == UInt64(copies.count))
        }
        let unplaced = ways.map { ChangeText.updated("1", $0.0, $0.1) }
        #expect(
            try Outcome([ChangeText.created("1", "pending")] + unplaced + unplaced, StatusUpdateTests.settings()).counts() == ["1 1 0 0"])
    }

    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func afterTheWindowsCloseItIsCountedAsTooLate(keyedBy: FintechSettings.Keying) throws {
        let first = ChangeText.created("1", "pending")
        let update = ChangeText.updated("1", "pending", "completed")
        // The customer's window of 30 s is closed, the merchant's minute open.
        let half = try Outcome([first, ChangeText.created("2", "pending", at: 36_000), update], StatusUpdateTests.settings(keyedBy))
        #expect(try half.counts() == ["1 0 0 1", "1 0 0 1"] && half.merchantCounts() == ["2 1 0"])
        #expect(half.skipped == ["late_update": 1])
        let whole = try Outcome([first, ChangeText.created("2", "pending", at: 66_000), update], StatusUpdateTests.settings(keyedBy))
        #expect(try whole.counts() == ["1 0 0 1", "1 0 0 1"] && whole.merchantCounts() == ["1 0 0", "1 0 0"])
        #expect(whole.skipped == ["late_update": 1])
        for outcome in [half, whole] {
            #expect(
                try outcome.rows("rejected_records").isEmpty && outcome.run.counters.values.allSatisfy { $0.late == 0 && $0.rejected == 0 })
        }
    }

    @Test func whatWasBeforeHasToBeSaid() throws {
        let row = ChangeText.transaction("1", "completed")
        let records = [
            ChangeText.created("1", "pending"), ChangeText.change("u", after: row),
            ChangeText.change("u", before: #"{"id":"1"}"#, after: row),
            ChangeText.change("u", before: ChangeText.transaction("1", "__debezium_unavailable_value"), after: row),
            row.replacing("}", with: #","__op":"u"}"#),
            ChangeText.change("u", before: ChangeText.transaction("1", "pending"), after: #"{"id":"1"}"#),
        ]
        let outcome = try Outcome(records, StatusUpdateTests.settings())
        #expect(try outcome.counts() == ["1 0 0 1"] && outcome.rows("rejected_records").isEmpty)
        #expect(outcome.skipped == ["update_without_before": 4, "unusable_update": 1])
    }

    /// What was rejected or late counts nowhere, and what is counted otherwise is not what the update says.
    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func whatIsNotCountedSoIsNotMoved(keyedBy: FintechSettings.Keying) throws {
        let records = [
            ChangeText.created("1", "pending"), ChangeText.created("2", "pending", amount: "x"),
            ChangeText.updated("2", "pending", "completed"),
            ChangeText.updated("1", "failed", "completed"), ChangeText.updated("1", "pending", "completed", at: 1),
            ChangeText.change(
                "u", before: ChangeText.transaction("1", "pending", of: "d"), after: ChangeText.transaction("1", "completed")),
            ChangeText.change(
                "u", before: ChangeText.transaction("1", "pending").replacing(#""m""#, with: #""n""#),
                after: ChangeText.transaction("1", "completed")),
        ]
        let outcome = try Outcome(records, StatusUpdateTests.settings(keyedBy))
        #expect(try outcome.counts() == ["1 0 0 1"] && outcome.merchantCounts() == ["1 0 0"])
        #expect(outcome.skipped == ["unmatched_update": 5])
        let late = [
            ChangeText.created("1", "completed", at: 90_000), ChangeText.created("2", "pending"),
            ChangeText.updated("2", "pending", "completed"),
        ]
        let after = try Outcome(late, StatusUpdateTests.settings(keyedBy))
        #expect(try after.rows("rejected_records").map { $0["reason"] } == [.text("late")])
        #expect(after.skipped == ["late_update": 1])
    }

    @Test func aRestartForgetsNothingOfIt() throws {
        let settings = StatusUpdateTests.settings(horizon: .hours(1))
        let before = FintechTask(settings)
        try before.process(
            ChangeText.created("1", "pending"), ChangeText.created("2", "pending"),
            ChangeText.updated("2", "pending", "failed", position: 7))
        before.cut()
        let after = try FintechTask(after: before, settings)
        try after.process(
            ChangeText.created("1", "pending"), ChangeText.updated("1", "pending", "completed"),
            ChangeText.updated("2", "pending", "failed", position: 7),
            ChangeText.updated("1", "pending", "completed")
        )
        #expect(after.counters.skipped == ["duplicate": 3])
        try after.raiseWatermark(to: 60_000)
        #expect(try StatusUpdateTests.counts(after.rows(of: "customer_transaction_metrics").map(\.columns)) == ["2 1 1 0"])
        after.cut()
        let last = try FintechTask(after: after, settings)
        try last.process(ChangeText.updated("1", "pending", "completed"))
        #expect(last.counters.skipped == ["late_update": 1])
    }

    /// A repartition leaves what is known of merchants where it is, and the customer's minute may be open still.
    @Test func whatARepartitionLeftElsewhereIsCountedAsTooLate() throws {
        let settings = StatusUpdateTests.settings()
        let before = FintechTask(settings)
        try before.process(ChangeText.created("1", "pending"))
        before.cut()
        let update = ChangeText.updated("1", "pending", "completed")
        let after = try FintechTask(after: before, settings, without: ["merchant_partials"])
        try after.process(update, update, ChangeText.updated("2", "pending", "completed"))
        #expect(after.counters.skipped == ["late_update": 1, "duplicate": 1, "unmatched_update": 1])
        try after.raiseWatermark(to: 60_000)
        #expect(try StatusUpdateTests.counts(after.rows(of: "customer_transaction_metrics").map(\.columns)) == ["1 1 0 0"])
    }

    /// The setting may be switched at any time: what was read without it is not known, and not moved.
    @Test func whatWasReadWithoutItIsNotMoved() throws {
        var off = StatusUpdateTests.settings()
        off.statusUpdates = false
        let before = FintechTask(off)
        try before.process(ChangeText.created("1", "pending"))
        before.cut()
        let after = try FintechTask(after: before, StatusUpdateTests.settings())
        try after.process(
            ChangeText.updated("1", "pending", "completed"), ChangeText.created("2", "pending"),
            ChangeText.updated("2", "pending", "failed"))
        #expect(after.counters.skipped == ["unmatched_update": 1])
        try after.raiseWatermark(to: 60_000)
        #expect(try StatusUpdateTests.counts(after.rows(of: "customer_transaction_metrics").map(\.columns)) == ["2 0 1 1"])
    }

    /// Transactions that the version before forwarded, and left waiting.
    @Test func whatTheVersionBeforeForwardedIsRead() throws {
        let topology = FintechJob.topology(settings: StatusUpdateTests.settings(.id))
        let layout = try #require(topology.messageLayouts["customers"])
        let fields = try #require(layout.fields).dropLast(2)
        #expect(layout.version == 2 && fields.last?.name == "city")
        let reading = try layout.reading(
            StoredMessageLayout(stage: "customers", version: 1, jobVersion: 2, isForwarded: true, fields: Array(fields)))
        let batch = StatusUpdateTests.batchOfVersion1()
        let environment = TaskEnvironment(
            partitioning: [:], partitions: ["transactions": 1, "customers": 8, "merchants": 8], cold: NothingEvicted(), hashKey: .ofTests,
            references: Dictionary(
                uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) }
            ))
        let stage = topology.stages.first { $0.name == "customers" }!
        let task = stage.build(TaskSetup(task: batch.id.to, environment: environment))
        try task.resume(at: .distantPast, position: nil)
        try task.process(try reading.apply(to: batch))
        try task.upstreamReached(EventTime(milliseconds: 60_000), firingTimers: false)
        let table = topology.tables.first { $0.name == "customer_transaction_metrics" }!
        #expect(try StatusUpdateTests.counts(GoldenRow.rows(of: table, in: task.cut(Epoch(2)).rows).map(\.columns)) == ["1 0 0 1"])
    }

    /// A pending transaction of customer `c`, as version 2 of the job forwarded it.
    private static func batchOfVersion1() -> MessageBatch {
        var payload = ByteWriter()
        func write(_ text: String) { Array(text.utf8).withUnsafeBytes { payload.write(text: ByteView($0)) } }
        payload.write(zigzag: -1)
        payload.write(byte: 0)
        payload.write(byte: 1)
        write("1")
        payload.write(zigzag: 100)
        payload.write(zigzag: 10)
        write("t")
        payload.write(byte: 2)
        payload.write(zigzag: 0)
        payload.write(zigzag: 0)
        for _ in 0..<6 { write("") }
        var bytes = ByteWriter()
        Array("c".utf8).withUnsafeBytes { bytes.write(text: ByteView($0)) }
        bytes.write(text: payload.view)
        let id = MessageBatchID(
            from: TaskID(stage: "transactions", partition: 0), to: TaskID(stage: "customers", partition: 0), epoch: Epoch(1))
        return MessageBatch(id: id, count: 1, bytes: bytes.copy())
    }
}

extension String {
    fileprivate func replacing(_ text: String, with other: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
