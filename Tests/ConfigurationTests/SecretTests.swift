import Foundation
import TestSupport
import Testing

@testable import Configuration

@Suite("Configuration: no log, error or description shows a secret")
struct SecretTests {
    @Test func referencesStandForVariablesAndFiles() throws {
        let directory = try TemporaryDirectory()
        try Data("from-file\n".utf8).write(to: URL(fileURLWithPath: directory.file("secret")))
        let yaml =
            DefaultsTests.least + """

                clickhouse.password: "a-${env:PART}-${file:\(directory.file("secret"))}-$${x}"
                input.kafka.properties.sasl.password: ${env:PART}
                """
        let configuration = try JobConfiguration(yaml: yaml, file: "t.yaml", environment: ["PART": "from-env"])
        #expect(configuration.clickHouse.password.revealed == "a-from-env-from-file-${x}")
        #expect(configuration.secretFiles == [directory.file("secret")])
        #expect(configuration.redactor.redact("user from-env said a-from-env-from-file-${x}") == "user <hidden> said <hidden>")
    }

    @Test func nothingPrintsASecret() throws {
        let yaml = DefaultsTests.least + "\nclickhouse.password: hunter2-literal\ninput.kafka.properties.sasl.password: \"${env:KEY}\""
        let configuration = try JobConfiguration(yaml: yaml, file: "t.yaml", environment: ["KEY": "hunter2-env"])
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [dumped, "\(configuration)", String(reflecting: configuration), "\(configuration.clickHouse.password)"] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test(arguments: [
        "clickhouse.flushInterval: ${env:KEY}", "clickhouse.delivery: ${env:KEY}", "job.id.x: ${env:KEY}", "log.level: \"${env:KEY}\"",
        "clickhouse.password: \"hunter2 ${nothing}\"", "clickhouse.password: \"hunter2 ${\"", "clickhouse.password: hunter2: hunter2",
        "clickhouse.password: \"${env:ABSENT} hunter2\"", "clickhouse.password: [hunter2]", "clickhouse.database: http://u:${env:KEY}@h",
        "input.kafka.properties.sasl.mechanism: \"${env:KEY}\"", "http.token: hunter2", "http.token: \"${env:KEY}\"",
        "http.token: hunter2 with spaces in it",
        "state.directory: s3://u:hunter2@bucket", "state.directory: file://hunter2@", "input.directory: s3://u:hunter2@bucket/prefix",
        "checkpoints.store: s3://u:hunter2@bucket", "checkpoints.store: http://u:hunter2@host/bucket",
    ])
    func noErrorShowsASecret(line: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(yaml: DefaultsTests.least + "\n\(line)", file: "t.yaml", environment: ["KEY": "hunter2"]) { name, value in
                name == "sasl.mechanism" ? "\(value) is no mechanism" : nil
            }
        }
        #expect(error.map { !$0.description.contains("hunter2") } == true, "\(String(describing: error))")
    }

    @Test func credentialsInTheURLAreRefusedUnseen() {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(yaml: DefaultsTests.least, file: "t.yaml", flags: ["clickhouse.url=http://u:hunter2@h:8123"])
        }
        #expect(
            error?.description
                == "configuration: --set: clickhouse.url: must not hold user or password; put them under clickhouse.user and clickhouse.password"
        )
    }

    @Test func anUnsetVariableIsNamed() {
        let error = #expect(throws: ConfigurationError.self) {
            try JobConfiguration(yaml: DefaultsTests.least + "\nclickhouse.password: \"${env:CLICKHOUSE_PASSWORD}\"", file: "t.yaml")
        }
        #expect(
            error?.problems.map(\.description) == ["t.yaml:4: clickhouse.password: the environment variable CLICKHOUSE_PASSWORD is not set"]
        )
    }

    @Test func aSecretInsideAnotherLeavesNothingStanding() {
        let redactor = Redactor([Secret("abcd"), Secret("abcdefgh"), Secret("xy")])
        #expect(redactor.redact("abcdefgh abcd xy") == "<hidden> <hidden> xy")
    }
}
