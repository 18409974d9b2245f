import Engine

/// `input`: where the job's records come from.
package struct InputSection: Sendable {
    /// `input.kafka` or `input.directory`: exactly one has to be given.
    package var source: Source
    /// `input.topicPrefix`: what stands before the names of the input topics, such as `transactions`.
    package var topicPrefix = "fintech.public."
    /// `input.referenceTimeout`: how long the start waits for the reference topics to be read to their ends.
    package var referenceTimeout: Duration = .seconds(300)
    /// `input.maxRecordBytes`: a record with more bytes of key and value, decompressed, is rejected.
    package var maxRecordBytes = 1 << 20
    /// `input.format`: how records are written.
    package var format = Format.json
    /// `input.registry`: where the schemas of Avro are; nil for JSON.
    package var registry: RegistrySection?
    /// `input.keyedBy`: what the transactions are keyed by.
    package var keyedBy = Keying.customerID
    /// `input.sessions.keyedBy`: what the sessions are keyed by; nil: as the transactions, over a state as that was built.
    package var sessionsKeyedBy: Keying?
    /// `input.statusUpdates`: an update that changes a transaction's status moves the counts of its open windows.
    package var statusUpdates = false
    /// `input.sessionsWhenEnded`: a session counts when it has ended, not when it began.
    package var sessionsWhenEnded = false
    /// `input.deduplicate.by`: what tells transactions and sessions that Debezium sent again.
    package var deduplicateBy = Deduplication.none
    /// `input.deduplicate.horizon`: how long ids are remembered, by event time.
    package var deduplicationHorizon = EventSpan.hours(24)
    /// How records are written.
    package var form: InputFormSection

    package enum Format: String, Sendable, CaseIterable {
        case json
        /// With the numbers of its schemas, which a registry has.
        case avro
    }

    package enum Keying: String, Sendable, CaseIterable {
        case customerID = "customer_id"
        /// By the row's id, which is Debezium's default, or by anything else: they are re-keyed.
        case id
    }

    package enum Deduplication: String, Sendable, CaseIterable {
        case none, id
    }

    package enum Source: Sendable {
        case kafka(KafkaInputSection)
        /// The directory with `<topic>.jsonl` or `<topic>/<partition>.jsonl`.
        case directory(String)
    }

    static let propertiesKey = "input.kafka.properties"

    init(_ reader: inout SettingsReader, kafkaProblem: JobConfiguration.KafkaPropertyCheck) {
        source = InputSection.readSource(&reader, kafkaProblem)
        form = InputFormSection(&reader)
        topicPrefix = reader.topicPrefix("input.topicPrefix", default: topicPrefix)
        referenceTimeout = reader.duration("input.referenceTimeout", default: referenceTimeout, from: "1s", to: "24h")
        maxRecordBytes = reader.bytes("input.maxRecordBytes", default: maxRecordBytes, from: "1KiB", to: "1GiB")
        format = reader.choice("input.format", default: format)
        registry = RegistrySection(&reader, format: format)
        if format == .avro, case .directory = source, let setting = reader.setting("input.format") {
            reader.report(setting, "a directory's files hold a line of JSON a record; Avro is read from Kafka")
        }
        keyedBy = reader.choice("input.keyedBy", default: keyedBy)
        sessionsKeyedBy = reader.value("input.sessions.keyedBy", default: Keying?.none, expected: "one of customer_id, id") { text in
            Keying(rawValue: text).map { $0 }
        }
        statusUpdates = reader.flag("input.statusUpdates", default: statusUpdates)
        sessionsWhenEnded = reader.flag("input.sessionsWhenEnded", default: sessionsWhenEnded)
        deduplicateBy = reader.choice("input.deduplicate.by", default: deduplicateBy)
        deduplicationHorizon = reader.span("input.deduplicate.horizon", default: deduplicationHorizon, from: "1m", to: "30d")
    }

    private static func readSource(_ reader: inout SettingsReader, _ kafkaProblem: JobConfiguration.KafkaPropertyCheck) -> Source {
        let directory = reader.setting("input.directory")
        let start = reader.setting("input.kafka.start")
        let properties = reader.map(propertiesKey)
        let kafka = KafkaInputSection(&reader, start: start, properties: properties, check: kafkaProblem)
        guard let directory else {
            if properties["bootstrap.servers"] == nil {
                let missing = properties.isEmpty && start == nil ? "input" : "\(propertiesKey).bootstrap.servers"
                let example = "input: {kafka: {properties: {bootstrap.servers: '127.0.0.1:9092'}}}"
                reader.reportMissing(missing, "expected a Kafka cluster, as in \"\(example)\", or input.directory")
            }
            return .kafka(kafka)
        }
        if directory.text.isEmpty || directory.text.holds("://") {
            reader.report(
                directory, "expected the path of a directory, found \(directory.text.isEmpty ? "nothing" : reader.shown(directory))")
        }
        if let other = start ?? properties.values.min(by: { $0.key < $1.key }) {
            reader.report(directory, "a job has one input, and \(other.key) (\(other.origin.place)) names another; remove one of them")
        }
        return .directory(directory.text)
    }
}
