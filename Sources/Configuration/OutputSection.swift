import Engine

/// `output.kafka`: topics that the rows of every table go to beside ClickHouse.
package struct KafkaOutputSection: Sendable {
    /// `output.kafka.enabled`. A job with this output on can't be taken back to an earlier state: what is in Kafka can't
    /// be rolled back.
    package var isEnabled = false
    /// `output.kafka.topicPrefix`: what stands before the topics' names.
    package var topicPrefix = "fintech."
    /// `output.kafka.properties`: passed to librdkafka as they are. Any of them may hold a secret, so all are hidden.
    package var properties: [String: Secret] = [:]
    /// True when the brokers are those of the input, whose properties of connections then apply too.
    package var inheritsConnection: Bool { properties["bootstrap.servers"] == nil && properties["metadata.broker.list"] == nil }

    static let propertiesKey = "output.kafka.properties"

    init(_ reader: inout SettingsReader, input: InputSection.Source, check: JobConfiguration.KafkaPropertyCheck) {
        isEnabled = reader.flag("output.kafka.enabled", default: isEnabled)
        topicPrefix = reader.topicPrefix("output.kafka.topicPrefix", default: topicPrefix)
        properties = reader.kafkaProperties(reader.map(KafkaOutputSection.propertiesKey), check)
        guard isEnabled, inheritsConnection, case .directory = input, let setting = reader.setting("output.kafka.enabled") else { return }
        reader.report(
            setting, "the input is a directory, so the brokers are not known; set \(KafkaOutputSection.propertiesKey).bootstrap.servers")
    }
}

extension SettingsReader {
    /// The properties that librdkafka takes; what is wrong with the others is reported, without secrets.
    mutating func kafkaProperties(_ written: [String: Setting], _ check: JobConfiguration.KafkaPropertyCheck) -> [String: Secret] {
        var properties: [String: Secret] = [:]
        for (name, setting) in written.sorted(by: { $0.key < $1.key }) {
            if let problem = check(name, setting.text) {
                let shown = setting.hasReference ? Redactor([Secret(setting.text)]).redact(problem) : problem
                report(setting, shown)
            } else if name == "bootstrap.servers" && setting.text.isEmpty {
                report(setting, "expected host:port, or several of them with commas between, found nothing")
            } else {
                properties[name] = Secret(setting.text)
            }
        }
        return properties
    }

    mutating func topicPrefix(_ key: String, default prefix: String) -> String {
        value(key, default: prefix, expected: "letters, digits, dots, dashes or underscores, at most 200") { text in
            text.utf8.count <= 200 && text.utf8.allSatisfy(PlainName.isByte) ? text : nil
        }
    }
}

extension [String: Secret] {
    /// Those of librdkafka's properties that are secrets by their name, to be taken out of librdkafka's own messages.
    var namedSecrets: [Secret] {
        let marks = ["password", "secret", "token", "jaas", "pem", "credential"]
        return filter { property in marks.contains { property.key.contains($0) } }.map(\.value)
    }
}
