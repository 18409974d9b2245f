import CurlHTTP
import Engine
import Foundation
import KafkaIO
import Logging
import TestSupport
import Testing

@Suite("A job reads Avro with a schema registry: the same tables, and a registry that is away is waited for", .serialized)
struct AvroJobTests {
    /// A broker with a golden case in Avro, and a registry whose schemas are in a file.
    private struct World {
        let broker: DevelopmentBrokerProcess
        let directory: TemporaryDirectory
        let golden: GoldenCase
        let authorization: String

        init(_ golden: GoldenCase, _ form: AvroTopics.Form, authorization: String = "") throws {
            self.golden = golden
            self.authorization = authorization
            broker = try DevelopmentBrokerProcess(topics: golden.topics)
            directory = try TemporaryDirectory("tidemark-registry")
            let topics = try AvroTopics(golden, form)
            let writer = try TopicWriter(WriterSettings(properties: ["bootstrap.servers": broker.brokers]), logger: Logger(label: "test"))
            for topic in GoldenCase.streams + GoldenCase.referenceTopics {
                for (key, value) in zip(try topics.keys(topic), try topics.values(topic)) {
                    try (key ?? []).withUnsafeBytes { key in
                        try value.withUnsafeBytes {
                            try writer.send(topic: topic, partition: 0, key: key.isEmpty ? .null : ByteView(key), value: ByteView($0))
                        }
                    }
                }
            }
            try writer.flush(timeout: .seconds(30))
            let registry = try self.registry()
            for schema in topics.schemas { try registry.register(schema) }
            registry.end()
        }

        func registry(port: Int = freePort()) throws -> SchemaRegistryServer {
            try SchemaRegistryServer(file: directory.file("schemas"), port: port, authorization: authorization)
        }

        func job(_ clickHouse: any TestClickHouse, registry port: Int, _ settings: [String] = [], environment: [String: String] = [:])
            throws -> JobFixture
        {
            let more = ["input.format=avro", "input.registry.url=http://127.0.0.1:\(port)", "time.maxAhead=off"]
            return try JobFixture(.kafka(broker.brokers), clickHouse, settings: more + settings, environment: environment)
        }

        func expectGoldenRows(_ job: JobFixture) throws {
            for table in GoldenEndToEndTests.tables where table.name != "rejected_records" {
                let found = try TableRows(table, database: job.database, job.clickHouse)
                let differences = rowDifferences(found.rows, expected: found.expected(try golden.expectedRows(of: table.name), table))
                #expect(differences.isEmpty, "\(golden), \(table.name):\n\(differences.joined(separator: "\n"))")
            }
        }
    }

    @Test func theGoldenRowsStandInTheTablesAndCheckAsksTheRegistry() throws {
        let clickHouse = try ClickHouseServer()
        // tide:mark-secret in Base64.
        let world = try World(.basic, .envelope, authorization: "Basic dGlkZTptYXJrLXNlY3JldA==")
        let registry = try world.registry()
        let login = ["input.registry.username=tide", "input.registry.password=${env:REGISTRY_PASSWORD}"]
        let job = try world.job(clickHouse, registry: registry.port, login, environment: ["REGISTRY_PASSWORD": "mark-secret"])
        let checked = try job.run("check")
        #expect(checked.output.contains("ok       schema registry: \(registry.url)\n"), "\(checked.output)\(checked.errors)")

        let wrong = try world.job(clickHouse, registry: registry.port, login, environment: ["REGISTRY_PASSWORD": "wrong-secret"])
        let refused = try wrong.run("check")
        #expect(
            refused.status == 2 && refused.output.contains("finding  schema registry: the schema registry at \(registry.url) refuses"),
            "\(refused.output)")
        let started = try wrong.runUntilEnd()
        #expect(started.status == 12 && started.errors.contains("refuses") && !started.errors.contains("wrong-secret"), "\(started.errors)")

        let before = registry.requests.count
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        try world.expectGoldenRows(job)
        let asked = registry.requests.dropFirst(before).filter { $0.hasPrefix("GET /schemas/ids/") && !$0.hasSuffix("/0") }
        #expect(asked.count == Set(asked).count, "each schema once: \(asked)")
    }

    @Test func aRegistryThatIsAwayIsWaitedForAndAStopEndsTheWait() throws {
        let clickHouse = try ClickHouseServer()
        let world = try World(.basic, .flat)
        let port = freePort()
        let job = try world.job(clickHouse, registry: port)
        let worker = try job.start()
        let page = try statusPage(of: worker)
        try waitUntil("the wait is told of") { worker.errors.contains("reading waits for the schema registry at http://127.0.0.1:\(port)") }
        let status = try HTTPClient().perform(HTTPRequest(.get, url: page + "status")).text
        #expect(
            status.contains("Schema registry: reading waits for the schema registry at http:")
                && status.firstMatch(of: /"isReadingHeld"\s*:\s*true/) != nil, "\(status)")
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")

        let again = try job.start(["--until-end"])
        try waitUntil("the wait is told of") { again.errors.contains("reading waits for the schema registry at http://127.0.0.1:\(port)") }
        let registry = try world.registry(port: port)
        #expect(again.waitForExit() == 0, "\(again.errors)")
        #expect(again.errors.contains("answers again, and reading goes on"), "\(again.errors)")
        try world.expectGoldenRows(job)
        #expect(registry.requests.count > 0)
    }
}
