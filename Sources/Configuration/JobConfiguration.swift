import Engine
import Foundation

/// Everything that can be set about a job: read from a YAML file, environment variables and flags, each with its
/// default beside it.
///
/// A later source overrides an earlier one: the file, then `TIDEMARK_<KEY>` variables, then `--set key=value`.
package struct JobConfiguration: Sendable {
    /// `job.id`: names the job in ClickHouse's provenance columns, in Kafka and in logs. No default.
    package var jobID: String
    package var input: InputSection
    package var clickHouse: ClickHouseSection
    package var kafkaOutput: KafkaOutputSection
    package var sink: SinkSection
    package var state: StateSection
    package var references: ReferenceSection
    package var checkpoints: CheckpointSection
    package var epoch: EpochSection
    package var worker: WorkerSection
    package var time: TimeSection
    package var fintech: FintechSection
    package var http: HTTPSection
    package var log: LogSection
    /// Takes the secrets of this configuration out of texts that others made.
    package let redactor: Redactor
    /// The files that `${file:PATH}` names, sorted.
    package let secretFiles: [String]
    /// What somebody should know of settings that are fine, for people: that a key has another name now.
    package let notes: [String]

    /// Says what is wrong with a property for librdkafka, given its name and value: unknown, refused, or the engine's own.
    package typealias KafkaPropertyCheck = (_ name: String, _ value: String) -> String?

    /// Reads and validates a configuration.
    ///
    /// - Parameters:
    ///   - path: the YAML file.
    ///   - environment: the process's variables: `TIDEMARK_<KEY>` ones and those that `${env:NAME}` names.
    ///   - flags: the `key=value` of each `--set`, later ones overriding earlier ones.
    ///   - kafkaProblem: what is wrong with a Kafka property of this name and value for the input; nil when nothing is.
    ///   - outputProblem: the same for the output.
    /// - Throws: every problem found, with key, place and what was expected.
    package static func load(
        path: String, environment: [String: String], flags: [String], kafkaProblem: KafkaPropertyCheck,
        outputProblem: KafkaPropertyCheck = { _, _ in nil }
    ) throws(ConfigurationError) -> JobConfiguration {
        guard let data = FileManager.default.contents(atPath: path) else {
            let explanation = "the configuration file can't be read; it must exist and be readable by this user"
            let isThere = FileManager.default.fileExists(atPath: path)
            throw ConfigurationError([.init(place: path, key: "", explanation: explanation)], kind: isThere ? .denied : .missing)
        }
        guard data.count <= maximumFileSize, let text = String(data: data, encoding: .utf8) else {
            let explanation = "is no text of at most \(maximumFileSize >> 10) KiB in UTF-8"
            throw ConfigurationError([.init(place: path, key: "", explanation: explanation)])
        }
        let name = path.parts(at: "/").last.map(String.init) ?? path
        return try JobConfiguration(
            yaml: text, file: name, environment: environment, flags: flags, kafkaProblem: kafkaProblem, outputProblem: outputProblem)
    }

    /// Reads and validates a configuration that is given as text; `file` names it in errors.
    package init(
        yaml: String, file: String, environment: [String: String] = [:], flags: [String] = [],
        kafkaProblem: KafkaPropertyCheck = { _, _ in nil },
        outputProblem: KafkaPropertyCheck = { _, _ in nil }
    ) throws(ConfigurationError) {
        var reader = SettingsReader(yaml: yaml, file: file, environment: environment, flags: flags)
        self.init(&reader, kafkaProblem: kafkaProblem, outputProblem: outputProblem)
        let problems = reader.finish()
        guard problems.isEmpty else { throw ConfigurationError(problems) }
    }

    /// Every key there is but the entries of `input.kafka.properties` and `output.kafka.properties`, sorted.
    package static var keys: [String] {
        var reader = SettingsReader(yaml: "", file: "", environment: [:], flags: [])
        _ = JobConfiguration(&reader, kafkaProblem: { _, _ in nil }, outputProblem: { _, _ in nil })
        return (reader.askedKeys.union([InputSection.propertiesKey, KafkaOutputSection.propertiesKey])).sorted()
    }

    static let maximumFileSize = 1 << 20

    private init(_ reader: inout SettingsReader, kafkaProblem: KafkaPropertyCheck, outputProblem: KafkaPropertyCheck) {
        jobID = JobConfiguration.readJobID(&reader)
        input = InputSection(&reader, kafkaProblem: kafkaProblem)
        clickHouse = ClickHouseSection(&reader)
        sink = SinkSection(&reader)
        state = StateSection(&reader)
        references = ReferenceSection(&reader)
        checkpoints = CheckpointSection(&reader)
        epoch = EpochSection(&reader)
        worker = WorkerSection(&reader)
        time = TimeSection(&reader)
        fintech = FintechSection(&reader)
        http = HTTPSection(&reader)
        log = LogSection(&reader)
        kafkaOutput = KafkaOutputSection(&reader, input: input.source, check: outputProblem)
        var secrets = reader.secrets + [clickHouse.password, http.token].compactMap { $0 } + kafkaOutput.properties.namedSecrets
        secrets += input.registry?.secrets ?? []
        if case .kafka(let kafka) = input.source { secrets += kafka.properties.namedSecrets }
        redactor = Redactor(secrets)
        secretFiles = reader.secretFiles.sorted()
        notes = reader.notes
    }

    private static func readJobID(_ reader: inout SettingsReader) -> String {
        let expected = "1 to 64 letters, digits, dots, dashes or underscores"
        guard let setting = reader.setting("job.id") else {
            reader.reportMissing("job.id", "is needed and has no default: \(expected), such as fintech")
            return ""
        }
        let isName = PlainName.isPlain(setting.text, upTo: PlainName.longestJob)
        if !isName { reader.report(setting, "expected \(expected), found \(reader.shown(setting))") }
        return setting.text
    }
}
