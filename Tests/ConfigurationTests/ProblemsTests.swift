import Engine
import Testing

@testable import Configuration

@Suite("Configuration: an error names the key, the line and what was expected")
struct ProblemsTests {
    /// A line added to a good file, and the problem that it makes.
    static let cases: [(line: String, problem: String)] = [
        ("epochs: {interval: 1s}", "t.yaml:4: epochs.interval: unknown key; did you mean epoch.interval?"),
        ("flushInterval: 1s", "t.yaml:4: flushInterval: unknown key; did you mean clickhouse.flushInterval?"),
        ("colour: blue", "t.yaml:4: colour: unknown key"),
        (
            "epoch: {interval: 5 parsecs}",
            "t.yaml:4: epoch.interval: expected a duration such as 500ms, 30s, 5m, 24h or 30d, from 10ms to 5m, found \"5 parsecs\""
        ),
        (
            "epoch: {interval: 500}",
            "t.yaml:4: epoch.interval: expected a duration such as 500ms, 30s, 5m, 24h or 30d, from 10ms to 5m, found \"500\""
        ),
        (
            "epoch: {interval: 1h}",
            "t.yaml:4: epoch.interval: expected a duration such as 500ms, 30s, 5m, 24h or 30d, from 10ms to 5m, found \"1h\""
        ),
        ("epoch: {interval: }", "t.yaml:4: epoch.interval: has no value; give it one, or leave the key out for its default"),
        ("epoch: 1s", "t.yaml:4: epoch: is a section; expected keys below it, such as epoch.interval"),
        (
            "worker: {threads: {count: 2}}",
            "t.yaml:4: worker.threads.count: unknown key: worker.threads takes a single value and has no keys below it"
        ),
        ("worker: {threads: [2]}", "t.yaml:4: worker.threads: expected a single value, found a list"),
        ("worker: {threads: two}", "t.yaml:4: worker.threads: expected a whole number from 0 to 1024, found \"two\""),
        (
            "state: {memoryBudget: 512MB}",
            "t.yaml:4: state.memoryBudget: expected a size such as 64KiB, 512MiB or 2GiB, from 16MiB to 1TiB, found \"512MB\""
        ),
        ("log: {level: loud}", "t.yaml:4: log.level: expected one of trace, debug, info, notice, warning, error, critical, found \"loud\""),
        ("http: {bind: localhost}", "t.yaml:4: http.bind: expected host:port such as 127.0.0.1:9464, or off, found \"localhost\""),
        (
            "checkpoints: {store: \"gs://bucket\"}",
            "t.yaml:4: checkpoints.store: expected a directory, s3://bucket/prefix, or off, found \"gs://bucket\""
        ),
        ("clickhouse.createTables: yes", "t.yaml:4: clickhouse.createTables: expected true or false, found \"yes\""),
        ("clickhouse.url: http://h:1", "t.yaml:4: clickhouse.url: is given twice; the first is in line 3"),
        (
            "output: {kafka: {topicPrefix: a b}}",
            "t.yaml:4: output.kafka.topicPrefix: expected letters, digits, dots, dashes or underscores, at most 200, found \"a b\""
        ),
        ("input.keyedBy: name", "t.yaml:4: input.keyedBy: expected one of customer_id, id, found \"name\""),
        ("input.sessions: {keyedBy: name}", "t.yaml:4: input.sessions.keyedBy: expected one of customer_id, id, found \"name\""),
        ("input.statusUpdates: yes", "t.yaml:4: input.statusUpdates: expected true or false, found \"yes\""),
        ("input.deduplicate: {by: key}", "t.yaml:4: input.deduplicate.by: expected one of none, id, found \"key\""),
        (
            "input.deduplicate.horizon: 31d",
            "t.yaml:4: input.deduplicate.horizon: expected a duration such as 500ms, 30s, 5m, 24h or 30d, from 1m to 30d, found \"31d\""
        ),
        (
            "input.kafka.start: yesterday",
            "t.yaml:4: input.kafka.start: expected earliest, latest or a time such as 2025-01-15T12:00:00Z, found \"yesterday\""
        ),
        ("input.kafka.properties.group.id: g", "t.yaml:4: input.kafka.properties.group.id: owned by the engine"),
        (
            "input.directory: ./log",
            "t.yaml:4: input.directory: a job has one input, and input.kafka.properties.bootstrap.servers (t.yaml:2) names another; remove one of them"
        ),
    ]

    @Test(arguments: cases.indices)
    func aBadLineIsExplained(index: Int) {
        let (line, problem) = ProblemsTests.cases[index]
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(
                yaml: DefaultsTests.least + "\n\(line)\n", file: "t.yaml",
                kafkaProblem: { name, _ in name == "group.id" ? "owned by the engine" : nil })
        }
        #expect(error?.problems.map(\.description) == [problem])
        #expect(error?.kind == .invalid)
    }

    @Test func severalAreReportedTogetherInTheOrderOfTheFile() {
        let yaml = "clickhouse: {url: 127.0.0.1}\nepoch: {interval: soon}\nworker: {thread: 1}\n"
        let error = #expect(throws: ConfigurationError.self) { try JobConfiguration(yaml: yaml, file: "t.yaml", flags: ["log.format=xml"]) }
        #expect(
            error?.description == """
                the configuration has 6 problems
                  t.yaml:1: clickhouse.url: expected the address of ClickHouse's HTTP interface, such as http://127.0.0.1:8123, found "127.0.0.1"
                  t.yaml:2: epoch.interval: expected a duration such as 500ms, 30s, 5m, 24h or 30d, from 10ms to 5m, found "soon"
                  t.yaml:3: worker.thread: unknown key; did you mean worker.threads?
                  t.yaml: job.id: is needed and has no default: 1 to 64 letters, digits, dots, dashes or underscores, such as fintech
                  t.yaml: input: expected a Kafka cluster, as in "input: {kafka: {properties: {bootstrap.servers: '127.0.0.1:9092'}}}", or input.directory
                  --set: log.format: expected one of auto, text, json, found "xml"
                """)
    }

    @Test(arguments: [
        ("job: {id: a\ninput: b", "t.yaml:2: is not YAML"), ("- a\n- b", "t.yaml:1: expected keys and values"),
        ("a: 1\na: 2", "the same key is given twice: a"),
    ])
    func textThatIsNoConfigurationIsNamedWithItsLine(yaml: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) { try JobConfiguration(yaml: yaml, file: "t.yaml") }
        #expect(error?.problems.first?.description.contains(expected) == true, "\(String(describing: error))")
        #expect(error?.problems.count == 1, "what seems to be missing follows from it: \(String(describing: error))")
    }

    @Test func kafkaPropertiesAreReportedInTheOrderOfTheirNames() {
        let flags = ["z", "b", "q", "a", "m"].map { "input.kafka.properties.\($0)=1" }
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(
                yaml: DefaultsTests.least, file: "t.yaml", flags: flags,
                kafkaProblem: { name, _ in name == "bootstrap.servers" ? nil : "no" })
        }
        #expect(error?.problems.map { $0.key.last } == ["a", "b", "m", "q", "z"])
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration.load(path: "/nowhere/t.yaml", environment: [:], flags: [], kafkaProblem: { _, _ in nil })
        }
        #expect(error?.kind == .missing)
        #expect(
            error?.description
                == "configuration: /nowhere/t.yaml: the configuration file can't be read; it must exist and be readable by this user")
    }

    @Test func aFlagWithoutAValueIsExplained() {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["clickhouse.password"])
        }
        #expect(error?.problems.first?.place == "--set")
    }
}
