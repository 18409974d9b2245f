import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Transactions keyed by something else than their customer")
struct RekeyingTests {
    private func run(_ partitions: [[String]], _ settings: FintechSettings) throws -> (run: TopologyRun, topology: Topology) {
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        try run.run { topic in topic == "fintech.public.transactions" ? partitions.map { $0.map { Array($0.utf8) } } : [[]] }
        return (run, topology)
    }

    private func transaction(_ id: String, of customer: String, at milliseconds: Int64 = 0) -> String {
        #"{"id":"\#(id)","customer_id":"\#(customer)","amount":"1.00","created_at":\#(milliseconds),"transaction_type":"t","status":"completed"}"#
    }

    @Test func aRejectedRecordIsToldOnceAndAsItWas() throws {
        var settings = FintechSettings.ofInserts
        settings.keyedBy = .id
        let late = transaction("3", of: "c", at: 1)
        let (run, topology) = try run([["{}"], ["nonsense", transaction("1", of: "c", at: 100_000), late]], settings)
        let rows = try GoldenRow.rows(of: topology.tables.first { $0.name == "rejected_records" }!, in: run.chunks).map(\.columns)
        let shown = rows.map { "\($0["partition"]!) \($0["offset"]!) \($0["reason"]!) \($0["payload"]!)" }.sorted()
        // The first partition has brought no watermark, so that nothing is late.
        #expect(shown == ["0 0 'missing_field:id' '{}'", "1 0 'malformed_json' 'nonsense'"])
        let (alone, _) = try self.run([["nonsense", transaction("1", of: "c", at: 100_000), late]], settings)
        let both = try GoldenRow.rows(of: topology.tables.first { $0.name == "rejected_records" }!, in: alone.chunks).map(\.columns)
        #expect(both.map { $0["reason"] } == [.text("malformed_json"), .text("late")])
        #expect(
            both[1]["payload"] == .text(late) && both[1]["offset"] == .number(2) && both[1]["topic"] == .text("fintech.public.transactions")
        )
    }

    /// 200 customers in every partition: some of them are watched.
    @Test func aTopicThatIsNotKeyedByCustomerIsNoticed() throws {
        let partitions = (0..<3).map { partition in (0..<200).map { transaction("\(partition)-\($0)", of: "customer-\($0)") } }
        var message = ""
        do {
            _ = try run(partitions, FintechSettings.ofInserts)
        } catch let failure as any Failure {
            #expect(failure.kind == .invalid)
            message = failure.message
        }
        #expect(
            message.contains(try Regex("customer customer-[0-9]+ is in partitions 0 and [12] of topic fintech.public.transactions")),
            "\(message)")
        for part in ["input.keyedBy: id", "empty state directory", "message.key.columns"] { #expect(message.contains(part), "\(part)") }
        var settings = FintechSettings.ofInserts
        settings.keyedBy = .id
        let (run, _) = try run(partitions, settings)
        #expect(run.counters.values.allSatisfy { $0.late == 0 })
    }

    @Test func aTransactionIsKnownAgainAfterARestart() throws {
        var settings = FintechSettings.ofInserts
        settings.deduplicationHorizon = .hours(1)
        settings.alertThreshold = 0
        let before = FintechTask(settings)
        try before.process(transaction("1", of: "c"), transaction("2", of: "c", at: 1000), transaction("1", of: "c"))
        #expect(try before.rows(of: "fraud_detection_alerts").count == 2)
        let after = try FintechTask(after: before, settings)
        try after.process(transaction("2", of: "c", at: 1000), transaction("3", of: "c", at: 2000), transaction("1", of: "c"))
        #expect(try after.rows(of: "fraud_detection_alerts").map { $0.columns["transactionId"] } == [.text("3")])
        // A day later nobody knows any more: it counts nowhere.
        try after.process(transaction("4", of: "c", at: 86_400_000), transaction("1", of: "c"))
        #expect(try after.rows(of: "fraud_detection_alerts").map { $0.columns["transactionId"] } == [.text("3"), .text("4")])
        #expect(try after.rows(of: "rejected_records").map { $0.columns["reason"] } == [.text("late")])
    }
}
