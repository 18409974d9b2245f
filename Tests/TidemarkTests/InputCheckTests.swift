import Engine
import Foundation
import Testing
import TestSupport

@Suite("A check reads the newest records and tries what a run has to be able to do")
struct InputCheckTests {
    private static let transactions = GoldenCase.streams[0]
    private let clickHouse: ClickHouseServer

    init() throws { clickHouse = try ClickHouseServer() }

    private func expect(_ run: FinishedRun, _ status: Int32, saying lines: String..., without absent: [String] = []) {
        #expect(run.status == status, "\(run.output)\(run.errors)")
        for line in lines { #expect(run.output.contains(line), "'\(line)' is missing in:\n\(run.output)") }
        for line in absent { #expect(!run.output.contains(line), "'\(line)' is in:\n\(run.output)") }
    }

    /// `ahead`: by how much `created_at` is ahead of the record's time.
    private func transaction(_ number: Int, key: String, ahead: Int64 = 0, amount: String = "\"1.00\"") -> TestRecord {
        let time: Int64 = 1_788_220_800_000 + Int64(number) * 60_000
        let value = "{\"id\":\"t\(number)\",\"customer_id\":\"c\(number)\",\"amount\":\(amount),\"created_at\":\(time + ahead),\"transaction_type\":\"card\",\"status\":\"completed\",\"__op\":\"c\"}"
        return TestRecord(key: key, value, timestamp: EventTime(milliseconds: time + 500))
    }

    private func job(_ records: [[TestRecord]], customers: [TestRecord] = []) throws -> (DevelopmentBrokerProcess, JobFixture) {
        let others = (GoldenCase.streams.dropFirst() + GoldenCase.referenceTopics).map { "\($0):1" }
        let broker = try DevelopmentBrokerProcess(topics: ["\(Self.transactions):\(records.count)"] + others)
        try broker.write([Self.transactions: records, GoldenCase.referenceTopics[0]: [customers]])
        return (broker, try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["input.operations=records"]))
    }

    @Test func recordsThatAreWhatTheyShouldBeAreNoFindingAndNothingIsLeftBehind() throws {
        let (broker, job) = try job((0..<2).map { part in (0..<150).map { transaction($0 * 2 + part, key: "c\($0 * 2 + part)") } })
        defer { withExtendedLifetime(broker) {} }
        expect(
            try job.run("check"), 0, saying: "ok       newest records of \(Self.transactions): 200 of 200 usable\n",
            "all 200 keys that could be compared are the customers'", "ok       topic fintech.public.customer_sessions: 1 partition, at most 0 records; empty, so see to",
            "ok       newest records of fintech.public.customer_sessions: there are none to look at", "ok       state directory: "
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.directory.path) == ["job.yaml"])
        #expect(try job.runUntilEnd().status == 0)
    }

    @Test func whatCanNotBeUsedIsShownWithItsPlaceAndWhatToSet() throws {
        let avro: [UInt8] = [0, 0, 0, 0, 7, 0x48] + Array("d1bc52d9".utf8)
        let noOperation = TestRecord(key: "c1", #"{"id":"x","customer_id":"c1","amount":"1.00","created_at":1,"transaction_type":"card","status":"completed"}"#)
        let records = [
            transaction(0, key: "c0"), transaction(1, key: "c1", amount: "\"__debezium_unavailable_value\""), transaction(2, key: "c2", amount: "\"JxA=\""), noOperation,
            TestRecord(key: Array("c5".utf8), value: avro), TestRecord(key: "c6", #"{"id":"e","source":"s","specversion":"1.0","type":"t","data":{}}"#),
        ]
        let (broker, job) = try job([records], customers: [TestRecord(key: "Struct{id=c0}", #"{"id":"c0","tier":7,"__op":"r"}"#), TestRecord(key: "Struct{id=c0}", nil)])
        defer { withExtendedLifetime(broker) {} }
        let what = "finding  newest records of \(Self.transactions): "
        expect(
            try job.run("check"), 2, saying: "ok       newest records of \(Self.transactions): 1 of 6 usable\n",
            what + "1 of 6 rejected as unavailable:amount, the last at offset 1 of partition 0: the database did not hand the value over",
            what + "1 of 6 rejected as bad_value:amount, the last at offset 2 of partition 0: ", what + "1 of 6 remarked as base64_decimal:amount, ",
            what + "2 of 6 rejected as missing_operation, the last at offset 5 of partition 0: ", what + "1 of 6 are Avro with a schema registry, in Confluent's framing, schema 7, the last at offset 4",
            what + "1 of 6 are a CloudEvent in its structured form", "reference customers: 1 of 2 usable", "remarked as bad_value:tier", "2 of 2 keys were printed as Struct{…}"
        )
    }

    @Test func keysOfRowsAndTimesOfAnotherZoneAreFindings() throws {
        let hours: Int64 = 2 * 3_600_000
        let (broker, job) = try job((0..<2).map { part in (0..<8).map { transaction($0 * 2 + part, key: "{\"id\":\"t\($0 * 2 + part)\"}", ahead: hours) } })
        defer { withExtendedLifetime(broker) {} }
        let what = "finding  newest records of \(Self.transactions): "
        expect(
            try job.run("check"), 2, saying: what + "16 of 16 keys are not the customer_id of their rows alone, the last at offset 7 of partition ",
            "set input.keyedBy: id", what + "the times of all 16 inserts are 2:00 hours ahead of Kafka's", "such as \"+02:00\"", "rejected as bad_value:created_at"
        )
        expect(try job.run("check", ["--set", "input.keyedBy=id"]), 2, saying: "ahead of Kafka's", without: ["keys are not"])
        // Rows whose times were counted without a zone are right with it, and so is the job.
        expect(try job.run("check", ["--set", "input.keyedBy=id", "--set", "input.timeZone=+02:00"]), 0, saying: "16 of 16 usable", without: ["ahead of Kafka's"])
    }

    @Test func whatARunWouldBeRefusedForIsAFinding() throws {
        let broker = try DevelopmentBrokerProcess(topics: ["\(Self.transactions):1"])
        let job = try JobFixture(.kafka(broker.brokers), clickHouse)
        let other = try ClickHouseServer()
        let taken = "127.0.0.1:\(other.port)"
        let settings = ["state.directory=/proc/tidemark/state", "checkpoints.store=/proc/tidemark/checkpoints", "http.bind=\(taken)", "clickhouse.user=watcher"]
        expect(
            try job.run("check", settings.flatMap { ["--set", $0] }), 2, saying: "finding  state directory: no file can be created in /proc: ", "set state.directory to a directory",
            "finding  checkpoints: no file can be created in /proc: ", "finding  status page: the status page can't be served at \(taken): Address already in use",
            "finding  table customer_transaction_metrics: the user watcher may not create", "finding  topic fintech.public.customer_sessions: ", "kafka-topics.sh --bootstrap-server \(broker.brokers) --create --topic fintech.public.customer_sessions"
        )
        withExtendedLifetime(other) {}
    }
}
