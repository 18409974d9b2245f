import Engine
import Foundation
import Testing

@testable import Configuration

@Suite("Configuration: a small file is enough, and every key can be set")
struct DefaultsTests {
    static let least = """
        job: {id: fintech}
        input: {kafka: {properties: {bootstrap.servers: "127.0.0.1:9092"}}}
        clickhouse: {url: "http://127.0.0.1:8123"}
        """

    @Test func everyKeyButThreeHasADefault() throws {
        let configuration = try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml")
        #expect(configuration.jobID == "fintech")
        #expect(configuration.input.topicPrefix == "fintech.public.")
        #expect(configuration.clickHouse.database == "fintech")
        #expect(configuration.clickHouse.flushInterval == .seconds(1))
        #expect(configuration.clickHouse.resolveDelay == .seconds(10))
        #expect(configuration.clickHouse.delivery == .exactlyOnce)
        #expect(configuration.sink.ledgerKeep == .seconds(7 * 86_400))
        #expect(configuration.sink.outboxLimit == 48 << 20)
        #expect(configuration.state.memoryBudget == 512 << 20)
        #expect(configuration.references.memoryLimit == 1 << 30)
        #expect(configuration.epoch.interval == .milliseconds(500))
        #expect(configuration.worker.threads == 0)
        #expect(configuration.worker.drainTimeout == .seconds(25))
        #expect(configuration.time.outOfOrderness == .seconds(5))
        #expect(configuration.time.idleAfter == .seconds(30))
        #expect(configuration.time.maxAhead == .hours(1))
        #expect(configuration.input.maxRecordBytes == 1 << 20)
        #expect(configuration.fintech.churnAfter == .days(30))
        #expect(configuration.checkpoints.store == .directory("./checkpoints"))
        #expect(configuration.http.bind == HTTPSection.Address(host: "127.0.0.1", port: 9464))
        guard case .kafka(let kafka) = configuration.input.source else { throw UnexpectedInput() }
        #expect(kafka.start == .earliest)
        #expect(kafka.properties["bootstrap.servers"]?.revealed == "127.0.0.1:9092")
    }

    @Test func everyKeyCanBeWritten() throws {
        let yaml = """
            job:
              id: other
            input:
              directory: ./log
              topicPrefix: x.
              keyedBy: id
              sessions: {keyedBy: customer_id}
              statusUpdates: true
              sessionsWhenEnded: true
              referenceTimeout: 1m
              deduplicate: {by: id, horizon: 12h}
              maxRecordBytes: 64KiB
            clickhouse:
              url: https://clickhouse.example:8443/
              database: d
              user: u
              password: p
              createTables: false
              flushInterval: 250ms
              resolveDelay: 3s
              delivery: at-least-once
            output: {kafka: {enabled: false, topicPrefix: y.}}
            state: {directory: /var/lib/tidemark, memoryBudget: 2GiB}
            references: {memoryLimit: 3GiB}
            checkpoints: {store: "s3://bucket/some/prefix/", interval: 1m, keep: 3}
            epoch: {interval: 100ms, maxRecords: 1000, maxBytes: 1MiB}
            drain: {timeout: 5s}
            time: {outOfOrderness: 0s, idleAfter: 200ms, maxAhead: 2h}
            fraud: {alertThreshold: 0}
            lifecycle: {churnAfter: 7d}
            http: {bind: "[::1]:0"}
            log: {level: debug, format: json}
            sink: {ledgerKeep: 30d}
            outbox: {limit: 8MiB}
            worker: {threads: 4}
            """
        let configuration = try JobConfiguration(yaml: yaml, file: "t.yaml")
        guard case .directory("./log") = configuration.input.source else { throw UnexpectedInput() }
        #expect(configuration.input.keyedBy == .id && configuration.input.sessionsKeyedBy == .customerID)
        #expect(configuration.input.statusUpdates && configuration.input.sessionsWhenEnded)
        #expect(configuration.references.memoryLimit == 3 << 30)
        #expect(configuration.input.deduplicateBy == .id && configuration.input.deduplicationHorizon == .hours(12))
        #expect(configuration.clickHouse.url == "https://clickhouse.example:8443", "a slash at the end means nothing")
        #expect(configuration.clickHouse.password.revealed == "p")
        #expect(configuration.clickHouse.delivery == .atLeastOnce)
        #expect(configuration.checkpoints.store == .s3(bucket: "bucket", prefix: "some/prefix"))
        #expect(configuration.time.outOfOrderness == .seconds(0))
        #expect(configuration.time.maxAhead == .hours(2) && configuration.input.maxRecordBytes == 64 << 10)
        #expect(configuration.http.bind == HTTPSection.Address(host: "::1", port: 0))
        #expect(configuration.log.format == .json)
        #expect(configuration.epoch.maxBytes == 1 << 20)
    }

    @Test func theBoundOnTimesCanBeTurnedOff() throws {
        #expect(try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["time.maxAhead=off"]).time.maxAhead == nil)
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["time.maxAhead=never"])
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("expected off, or a duration"))
    }

    @Test func theStatusPageCanBeTurnedOff() throws {
        let configuration = try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["http.bind=off"])
        #expect(configuration.http.bind == nil)
    }

    @Test(arguments: [
        ("earliest", KafkaInputSection.Start.earliest), ("latest", .latest),
        ("2025-01-15T12:00:00Z", .time(EventTime(milliseconds: 1_736_942_400_000))),
        ("2025-01-15T13:00:00.250+01:00", .time(EventTime(milliseconds: 1_736_942_400_250))),
        ("2025-01-15", .time(EventTime(milliseconds: 1_736_899_200_000))),
    ])
    func theStartIsAPlaceOrATime(text: String, expected: KafkaInputSection.Start) throws {
        let configuration = try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["input.kafka.start=\(text)"])
        guard case .kafka(let kafka) = configuration.input.source else { throw UnexpectedInput() }
        #expect(kafka.start == expected)
    }

    struct UnexpectedInput: Error {}
}

@Suite("Configuration: docs/INTERFACE.md is true")
struct DocumentationTests {
    @Test func everyKeyIsDescribedAndNoOther() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/INTERFACE.md"), encoding: .utf8)
        let table = page.split(separator: "\n").drop { !$0.hasPrefix("| key |") }.dropFirst(2).prefix { $0.hasPrefix("|") }
        let described = table.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        #expect(described.sorted() == JobConfiguration.keys)
    }
}
