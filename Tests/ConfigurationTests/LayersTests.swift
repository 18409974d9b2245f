import Testing

@testable import Configuration

@Suite("Configuration: file, then environment, then --set")
struct LayersTests {
    @Test func aLaterLayerOverridesAnEarlierOne() throws {
        let yaml = DefaultsTests.least + "\nepoch: {interval: 1s}\ndrain: {timeout: 1s}\nworker: {threads: 1}"
        let configuration = try JobConfiguration(
            yaml: yaml, file: "t.yaml",
            environment: ["TIDEMARK_DRAIN_TIMEOUT": "2s", "TIDEMARK_WORKER_THREADS": "2"],
            flags: ["worker.threads=3"]
        )
        #expect(configuration.epoch.interval == .seconds(1))
        #expect(configuration.worker.drainTimeout == .seconds(2))
        #expect(configuration.worker.threads == 3)
    }

    @Test(arguments: ["TIDEMARK_CLICKHOUSE_FLUSHINTERVAL", "TIDEMARK_CLICKHOUSE_flushInterval", "tidemark_clickhouse_flushinterval"])
    func theCaseOfAVariableDoesNotCount(name: String) throws {
        let configuration = try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", environment: [name: "2s"])
        #expect(configuration.clickHouse.flushInterval == .seconds(2))
    }

    @Test func aKeyWorksUnderItsFormerNameWithANote() throws {
        let former = try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["clickhouse.settleDelay=3s"])
        #expect(former.clickHouse.resolveDelay == .seconds(3))
        #expect(former.notes == ["--set: clickhouse.settleDelay is called clickhouse.resolveDelay now; it works as before"])
        #expect(try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml").notes == [])
        let both = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(
                yaml: DefaultsTests.least, file: "t.yaml", environment: ["TIDEMARK_CLICKHOUSE_RESOLVEDELAY": "2s"],
                flags: ["clickhouse.settleDelay=3s"])
        }
        #expect(both?.problems.map(\.key) == ["clickhouse.settleDelay"])
    }

    @Test func everyKeyHasAVariableOfItsOwn() {
        let keys = JobConfiguration.keys
        #expect(keys.contains("clickhouse.resolveDelay") && keys.contains("input.kafka.properties"))
        #expect(Set(keys.map(EnvironmentName.of)).count == keys.count)
        #expect(keys.allSatisfy { !$0.contains("_") })
    }

    @Test func kafkaPropertiesComeFromEveryLayer() throws {
        let configuration = try JobConfiguration(
            yaml: DefaultsTests.least, file: "t.yaml",
            environment: [
                "TIDEMARK_INPUT_KAFKA_PROPERTIES_FETCH_MIN_BYTES": "7", "TIDEMARK_INPUT_KAFKA_PROPERTIES_BOOTSTRAP_SERVERS": "b:1",
            ],
            flags: ["input.kafka.properties.bootstrap.servers=c:1", "input.kafka.properties.client.id=x=y"]
        )
        guard case .kafka(let kafka) = configuration.input.source else { throw DefaultsTests.UnexpectedInput() }
        #expect(kafka.properties.mapValues(\.revealed) == ["bootstrap.servers": "c:1", "fetch.min.bytes": "7", "client.id": "x=y"])
    }

    @Test func theFileMayBeNestedOrDotted() throws {
        let yaml = "job.id: a\ninput.kafka.properties.bootstrap.servers: h:1\nclickhouse.url: http://h:1\n"
        let configuration = try JobConfiguration(yaml: yaml, file: "t.yaml")
        #expect(configuration.jobID == "a")
    }

    @Test func aVariableThatNamesNoKeyOfASectionIsReported() {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(
                yaml: DefaultsTests.least, file: "t.yaml", environment: ["TIDEMARK_CLICKHOUSE_URLL": "x", "TIDEMARK_CHDB": "mine"])
        }
        #expect(
            error?.problems.map(\.description) == [
                "environment variable TIDEMARK_CLICKHOUSE_URLL: names no key of the configuration; did you mean TIDEMARK_CLICKHOUSE_URL?"
            ])
    }
}
