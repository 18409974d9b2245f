import Engine

/// `input.kafka`.
package struct KafkaInputSection: Sendable {
    /// `input.kafka.properties`: passed to librdkafka as they are. Any of them may hold a secret, so all are hidden.
    package var properties: [String: Secret] = [:]
    /// `input.kafka.start`: where to begin in partitions that there is no state of yet.
    package var start = Start.earliest

    package enum Start: Sendable, Equatable {
        case earliest, latest
        /// At the first record whose Kafka timestamp is this or later.
        case time(EventTime)
    }

    init(_ reader: inout SettingsReader, start: Setting?, properties: [String: Setting], check: JobConfiguration.KafkaPropertyCheck) {
        self.properties = reader.kafkaProperties(properties, check)
        guard let start else { return }
        if let parsed = KafkaInputSection.start(start.text) {
            self.start = parsed
        } else {
            reader.report(start, "expected earliest, latest or a time such as 2025-01-15T12:00:00Z, found \(reader.shown(start))")
        }
    }

    private static func start(_ text: String) -> Start? {
        switch text {
        case "earliest": .earliest
        case "latest": .latest
        default: EventTime(iso8601: text).map(Start.time)
        }
    }
}
