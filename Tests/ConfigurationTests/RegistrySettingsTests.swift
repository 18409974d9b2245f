import Testing

@testable import Configuration

@Suite("Configuration: what is said of a schema registry fits together, and its secrets are shown nowhere")
struct RegistrySettingsTests {
    private static let avro = DefaultsTests.least + "\ninput.format: avro\ninput.registry.url: https://registry:8081/\n"

    @Test func defaultsAreThoseOfConfluent() throws {
        let registry = try #require(try JobConfiguration(yaml: RegistrySettingsTests.avro, file: "t.yaml").input.registry)
        #expect(
            registry.url == "https://registry:8081" && registry.api == .confluent && registry.ids == .content && registry.idBytes == .four)
        #expect(registry.login == nil && registry.token == nil && registry.tls.certificates == nil)
        #expect(try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml").input.registry == nil)
    }

    @Test func everythingCanBeSet() throws {
        let flags = [
            "input.registry.api=apicurio", "input.registry.ids=global", "input.registry.idBytes=8", "input.registry.username=tide",
            "input.registry.password=${env:KEY}", "input.registry.certificates=/proc/self/exe",
        ]
        let configuration = try JobConfiguration(
            yaml: RegistrySettingsTests.avro, file: "t.yaml", environment: ["KEY": "hunter2"], flags: flags)
        let registry = try #require(configuration.input.registry)
        #expect(
            registry.api == .apicurio && registry.ids == .global && registry.idBytes == .eight
                && registry.tls.certificates == "/proc/self/exe")
        #expect(registry.login?.username == "tide" && registry.login?.password.revealed == "hunter2")
        #expect(configuration.redactor.redact("it is hunter2") == "it is <hidden>")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }

    @Test func aTokenIsASecretToo() throws {
        let configuration = try JobConfiguration(
            yaml: RegistrySettingsTests.avro, file: "t.yaml", flags: ["input.registry.token=hunter2-literal"])
        #expect(configuration.input.registry?.token?.revealed == "hunter2-literal")
        #expect(configuration.redactor.redact("Bearer hunter2-literal") == "Bearer <hidden>")
    }

    @Test(arguments: [
        (
            ["input.format=avro"],
            "t.yaml: input.registry.url: is needed for input.format: avro and has no default: the address of a schema registry, such as http://127.0.0.1:8081"
        ),
        (
            ["input.registry.url=http://h"],
            "--set: input.registry.url: is of use only to records in Avro: set input.format: avro, or remove it"
        ),
        (
            ["input.format=avro", "input.registry.url=http://u:hunter2@h"],
            "--set: input.registry.url: must not hold user or password; put them under input.registry.username and input.registry.password"
        ),
        (
            ["input.format=avro", "input.registry.url=registry:8081"],
            "--set: input.registry.url: expected the address of a schema registry, such as http://127.0.0.1:8081, found \"registry:8081\""
        ),
        (
            ["input.format=avro", "input.registry.url=http://h", "input.registry.ids=global"],
            "--set: input.registry.ids: is of use only to input.registry.api: apicurio; set that, or remove this"
        ),
        (
            ["input.format=avro", "input.registry.url=http://h", "input.registry.idBytes=5"],
            "--set: input.registry.idBytes: expected one of 4, 8, found \"5\""
        ),
        (
            ["input.format=avro", "input.registry.url=http://h", "input.registry.password=hunter2"],
            "--set: input.registry.password: is of no use without input.registry.username"
        ),
        (
            ["input.format=avro", "input.registry.url=http://h", "input.registry.username=u", "input.registry.token=hunter2"],
            "--set: input.registry.token: input.registry.username (--set) names another way to log in; remove one of them"
        ),
        (
            ["input.format=avro", "input.registry.url=http://h", "input.registry.token=hunter2 x"],
            "--set: input.registry.token: expected letters, digits or signs of ASCII without spaces"
        ),
        (["input.format=protobuf"], "--set: input.format: expected one of json, avro, found \"protobuf\""),
    ])
    func whatDoesNotFitIsExplained(flags: [String], problem: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: flags)
        }
        #expect(error?.problems.map(\.description) == [problem])
    }

    @Test func aDirectoryHoldsNoAvro() {
        let yaml = "job.id: a\ninput.directory: ./log\nclickhouse.url: http://h:1\ninput.format: avro\ninput.registry.url: http://h\n"
        let error = #expect(throws: ConfigurationError.self) { try JobConfiguration(yaml: yaml, file: "t.yaml") }
        #expect(
            error?.problems.map(\.description) == [
                "t.yaml:4: input.format: a directory's files hold a line of JSON a record; Avro is read from Kafka"
            ])
    }
}
