import Engine
import Foundation

/// Everything that can be set about a job: read from a YAML file, environment variables and flags, each with its
/// default beside it.
///
/// A later source overrides an earlier one: the file, then `TIDEMARK_<KEY>` variables, then `--set key=value`.
public struct JobConfiguration: Sendable {
    /// `job.id`: names the job in ClickHouse's provenance columns, in Kafka and in logs. No default.
    public var jobID: String
    public var input: InputSettings
    public var clickHouse: ClickHouseSettings
    public var sink: SinkSettings
    public var state: StateSettings
    public var checkpoints: CheckpointSettings
    public var epoch: EpochSettings
    public var worker: WorkerSettings
    public var time: TimeSettings
    public var fintech: FintechSettings
    public var http: HTTPSettings
    public var log: LogSettings
    /// Takes the secrets of this configuration out of texts that others made.
    public let redactor: Redactor

    /// Reads and validates a configuration.
    ///
    /// - Parameters:
    ///   - path: the YAML file.
    ///   - environment: the process's variables: `TIDEMARK_<KEY>` ones and those that `${env:NAME}` names.
    ///   - flags: the `key=value` of each `--set`, later ones overriding earlier ones.
    ///   - ownedKafkaProperties: librdkafka properties that the engine sets itself, so that nobody else may.
    /// - Throws: every problem found, with key, place and what was expected.
    public static func load(
        path: String, environment: [String: String], flags: [String], ownedKafkaProperties: Set<String>
    ) throws(ConfigurationError) -> JobConfiguration {
        guard let data = FileManager.default.contents(atPath: path) else {
            let explanation = "the configuration file can't be read; it must exist and be readable by this user"
            throw ConfigurationError([.init(place: path, key: "", explanation: explanation)], kind: .missing)
        }
        guard data.count <= maximumFileSize, let text = String(data: data, encoding: .utf8) else {
            let explanation = "is no text of at most \(maximumFileSize >> 10) KiB in UTF-8"
            throw ConfigurationError([.init(place: path, key: "", explanation: explanation)])
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return try JobConfiguration(yaml: text, file: name, environment: environment, flags: flags, ownedKafkaProperties: ownedKafkaProperties)
    }

    /// Reads and validates a configuration that is given as text; `file` names it in errors.
    public init(
        yaml: String, file: String, environment: [String: String] = [:], flags: [String] = [], ownedKafkaProperties: Set<String> = []
    ) throws(ConfigurationError) {
        var reader = SettingsReader(yaml: yaml, file: file, environment: environment, flags: flags)
        self.init(&reader, ownedKafkaProperties: ownedKafkaProperties)
        let problems = reader.finish()
        guard problems.isEmpty else { throw ConfigurationError(problems) }
    }

    /// Every key there is but the entries of `input.kafka.properties`, sorted.
    public static var keys: [String] {
        var reader = SettingsReader(yaml: "", file: "", environment: [:], flags: [])
        _ = JobConfiguration(&reader, ownedKafkaProperties: [])
        return (reader.askedKeys.union([InputSettings.propertiesKey])).sorted()
    }

    static let maximumFileSize = 1 << 20

    private init(_ reader: inout SettingsReader, ownedKafkaProperties: Set<String>) {
        jobID = JobConfiguration.readJobID(&reader)
        input = InputSettings(&reader, ownedKafkaProperties: ownedKafkaProperties)
        clickHouse = ClickHouseSettings(&reader)
        sink = SinkSettings(&reader)
        state = StateSettings(&reader)
        checkpoints = CheckpointSettings(&reader)
        epoch = EpochSettings(&reader)
        worker = WorkerSettings(&reader)
        time = TimeSettings(&reader)
        fintech = FintechSettings(&reader)
        http = HTTPSettings(&reader)
        log = LogSettings(&reader)
        JobConfiguration.readOutput(&reader)
        var secrets = reader.secrets + [clickHouse.password]
        if case .kafka(let kafka) = input.source { secrets += kafka.namedSecrets }
        redactor = Redactor(secrets)
    }

    private static func readJobID(_ reader: inout SettingsReader) -> String {
        let expected = "1 to 64 letters, digits, dots, dashes or underscores"
        guard let setting = reader.setting("job.id") else {
            reader.reportMissing("job.id", "is needed and has no default: \(expected), such as fintech")
            return ""
        }
        let isName = (1...64).contains(setting.text.utf8.count) && setting.text.utf8.allSatisfy(isNameByte)
        if !isName { reader.report(setting, "expected \(expected), found \(reader.shown(setting))") }
        return setting.text
    }

    /// Output to Kafka is not there yet: its keys are known, so that a file for a later version says why it fails.
    private static func readOutput(_ reader: inout SettingsReader) {
        if reader.flag("output.kafka.enabled", default: false), let setting = reader.setting("output.kafka.enabled") {
            reader.report(setting, "Kafka output is not available in this version; expected false")
        }
        _ = reader.setting("output.kafka.topicPrefix")
    }

    /// What names in Kafka and in file paths may hold.
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
             UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
