import Engine
import Foundation
import TestSupport
import Testing

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
        let value =
            "{\"id\":\"t\(number)\",\"customer_id\":\"c\(number)\",\"amount\":\(amount),\"created_at\":\(time + ahead),\"transaction_type\":\"card\",\"status\":\"completed\",\"__op\":\"c\"}"
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
            "all 200 keys that could be compared are the customers'",
            "ok       topic fintech.public.customer_sessions: 1 partition, at most 0 records; empty, so see to",
            "ok       newest records of fintech.public.customer_sessions: there are none to look at", "ok       state directory: "
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.directory.path) == ["job.yaml"])
        #expect(try job.runUntilEnd().status == 0)
    }

    @Test func whatCanNotBeUsedIsShownWithItsPlaceAndWhatToSet() throws {
        let avro: [UInt8] = [0, 0, 0, 0, 7, 0x48] + Array("d1bc52d9".utf8)
        let noOperation = TestRecord(
            key: "c1", #"{"id":"x","customer_id":"c1","amount":"1.00","created_at":1,"transaction_type":"card","status":"completed"}"#)
        let records = [
            transaction(0, key: "c0"), transaction(1, key: "c1", amount: "\"__debezium_unavailable_value\""),
            transaction(2, key: "c2", amount: "\"JxA=\""), noOperation,
            TestRecord(key: Array("c5".utf8), value: avro),
            TestRecord(key: "c6", #"{"id":"e","source":"s","specversion":"1.0","type":"t","data":{}}"#),
        ]
        let (broker, job) = try job(
            [records],
            customers: [TestRecord(key: "Struct{id=c0}", #"{"id":"c0","tier":7,"__op":"r"}"#), TestRecord(key: "Struct{id=c0}", nil)])
        defer { withExtendedLifetime(broker) {} }
        let what = "warning  newest records of \(Self.transactions): "
        expect(
            try job.run("check"), 2, saying: "ok       newest records of \(Self.transactions): 1 of 6 usable\n",
            what + "1 of 6 rejected as unavailable:amount, the last at offset 1 of partition 0: the database did not hand the value over",
            what + "1 of 6 rejected as bad_value:amount, the last at offset 2 of partition 0: ",
            what + "1 of 6 remarked as base64_decimal:amount, ",
            what + "2 of 6 rejected as missing_operation, the last at offset 5 of partition 0: flat records have to say",
            what + "1 of 6 are Avro with a schema registry, in Confluent's framing, schema 7, the last at offset 4",
            what + "1 of 6 are a CloudEvent in its structured form", "reference customers: 1 of 2 usable", "remarked as bad_value:tier",
            "finding  newest records of fintech.public.customers: 2 of 2 keys were printed as Struct{…}"
        )
        // A start says the same, a line each.
        let run = try job.runUntilEnd()
        #expect(run.status == 1)
        let lines = run.errors.split(separator: "\n").filter { $0.contains("newest records of") }
        #expect(
            lines.count == 10 && lines.filter { $0.contains("keys were printed") && $0.contains(" error ") }.count == 1, "\(run.errors)")
        #expect(
            run.errors.contains("the job is not begun, because it would misread its input, as the error above says")
                && !run.errors.contains("\\n"), "\(run.errors)")
    }

    @Test func keysOfRowsAndTimesOfAnotherZoneAreFindings() throws {
        let hours: Int64 = 2 * 3_600_000
        let (broker, job) = try job(
            (0..<2).map { part in (0..<8).map { transaction($0 * 2 + part, key: "{\"id\":\"t\($0 * 2 + part)\"}", ahead: hours) } })
        defer { withExtendedLifetime(broker) {} }
        let what = "finding  newest records of \(Self.transactions): "
        expect(
            try job.run("check"), 2,
            saying: what + "16 of 16 keys are not the customer_id of their rows alone, the last at offset 7 of partition ",
            "set input.keyedBy: id", what + "the times of all 16 inserts are 2:00 hours ahead of Kafka's", "such as Europe/Berlin",
            "such as \"+02:00\"",
            what + "16 of 16 rejected as bad_value:created_at"
        )
        let refused = try job.runUntilEnd()
        #expect(refused.status == 1, "\(refused.errors)")
        for text in ["16 of 16 keys are not", "ahead of Kafka's", "bad_value:created_at", "as the 3 errors above say"] {
            #expect(refused.errors.contains(text), "\(refused.errors)")
        }
        expect(try job.run("check", ["--set", "input.keyedBy=id"]), 2, saying: "ahead of Kafka's", without: ["keys are not"])
        // Rows whose times were counted without a zone are right with it, and so is the job.
        expect(
            try job.run("check", ["--set", "input.keyedBy=id", "--set", "input.timeZone=+02:00"]), 0, saying: "16 of 16 usable",
            without: ["ahead of Kafka's"])
    }

    @Test func whatARunWouldBeRefusedForIsAFinding() throws {
        let broker = try DevelopmentBrokerProcess(topics: ["\(Self.transactions):1"])
        let job = try JobFixture(.kafka(broker.brokers), clickHouse)
        let other = try ClickHouseServer()
        let taken = "127.0.0.1:\(other.port)"
        let settings = [
            "state.directory=/proc/tidemark/state", "checkpoints.store=/proc/tidemark/checkpoints", "http.bind=\(taken)",
            "clickhouse.user=watcher",
        ]
        expect(
            try job.run("check", settings.flatMap { ["--set", $0] }), 2,
            saying: "finding  state directory: no file can be created in /proc: ", "set state.directory to a directory",
            "finding  checkpoints: no file can be created in /proc: ",
            "finding  status page: the status page can't be served at \(taken): Address already in use",
            "finding  table customer_transaction_metrics: the user watcher may not create",
            "finding  topic fintech.public.customer_sessions: ",
            "kafka-topics.sh --bootstrap-server \(broker.brokers) --create --topic fintech.public.customer_sessions"
        )
        withExtendedLifetime(other) {}
    }

    private static let cloudEvent = #"{"id":"e","source":"s","specversion":"1.0","type":"t","data":{}}"#

    /// What to do is said of the form, and not of what follows from it.
    @Test(
        arguments: [
            ("are Avro with a schema registry", "set input.format: avro", [0, 0, 0, 0, 7, 0x48] + Array("d1bc52d9".utf8)),
            ("are a CloudEvent in its structured form", "instead of Debezium's CloudEventsConverter", Array(cloudEvent.utf8)),
            ("rejected as malformed_json", "the values are no JSON objects", Array("nonsense".utf8)),
        ] as [(String, String, [UInt8])])
    func aTopicOfWhichNothingCanBeUsedIsAFindingAndRefusesTheFirstStart(form: String, cure: String, value: [UInt8]) throws {
        let (broker, job) = try job([(0..<3).map { TestRecord(key: Array("c\($0)".utf8), value: value) }])
        defer { withExtendedLifetime(broker) {} }
        expect(
            try job.run("check"), 2, saying: "finding  newest records of \(Self.transactions): 3 of 3 \(form)", cure,
            without: ["add.fields"])
        let run = try job.runUntilEnd()
        #expect(
            run.status == 1 && run.errors.contains(form) && run.errors.contains(cure) && !run.errors.contains("add.fields"), "\(run.errors)"
        )
    }

    @Test func base64InAReferenceTopicAloneIsAFindingAndRefusesTheFirstStart() throws {
        let broker = try DevelopmentBrokerProcess(topics: (GoldenCase.streams + GoldenCase.referenceTopics).map { "\($0):1" })
        let accounts = "fintech.public.accounts"
        try broker.write([
            Self.transactions: [[transaction(0, key: "c0")]],
            accounts: [[TestRecord(key: "a", #"{"id":"a","balance":"AfQ=","__op":"r"}"#)]],
        ])
        let job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: ["input.operations=records"])
        let what = "newest records of \(accounts), reference accounts: 1 of 1 remarked as base64_decimal:balance"
        expect(try job.run("check"), 2, saying: "finding  " + what, "input.decimals: precise")
        let run = try job.runUntilEnd()
        #expect(run.status == 1 && run.errors.contains(what), "\(run.errors)")
        // One that is what it shows says that the other is a single one.
        try broker.write([accounts: [[TestRecord(key: "b", #"{"id":"b","balance":"5.00","__op":"r"}"#)]]])
        expect(
            try job.run("check"), 0,
            saying: "warning  newest records of \(accounts), reference accounts: 1 of 2 remarked as base64_decimal:balance")
        #expect(try job.runUntilEnd().status == 0)
    }

    @Test func aRegistryThatIsDownIsOneFindingWithWhatToSeeTo() throws {
        let (broker, job) = try job([[transaction(0, key: "c0")]])
        defer { withExtendedLifetime(broker) {} }
        let settings = ["input.format=avro", "input.registry.url=http://127.0.0.1:\(freePort())"].flatMap { ["--set", $0] }
        let check = try job.run("check", settings)
        expect(
            check, 2, saying: "finding  schema registry: ", "See that it runs",
            "skipped  newest records: not looked at, because they can't be read without the schema registry")
        #expect(check.output.split(separator: "\n").filter { $0.hasPrefix("finding") }.count == 1, "\(check.output)")
    }

    @Test func aCheckpointThatAStartWouldRestoreIsComparedWithTheSettings() throws {
        let (broker, job) = try job([[transaction(0, key: "c0")]])
        defer { withExtendedLifetime(broker) {} }
        #expect(try job.runUntilEnd().status == 0)
        try FileManager.default.removeItem(atPath: job.stateDirectory)
        expect(try job.run("check"), 0, saying: "a run restores checkpoint ")
        let other = ["--set", "input.keyedBy=id"]
        expect(try job.run("check", other), 2, saying: "finding  state: ", "was built with input.keyedBy: customer_id, and id is set now")
        #expect(try job.runUntilEnd(other).status == 1)
    }
}
