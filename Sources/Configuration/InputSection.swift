import Engine

/// `input`: where the job's records come from.
public struct InputSection: Sendable {
    /// `input.kafka` or `input.directory`: exactly one has to be given.
    public var source: Source
    /// `input.topicPrefix`: what stands before the names of the input topics, such as `transactions`.
    public var topicPrefix = "fintech.public."
    /// `input.referenceTimeout`: how long the start waits for the reference topics to be read to their ends.
    public var referenceTimeout: Duration = .seconds(300)
    /// `input.maxRecordBytes`: a record with more bytes of key and value, decompressed, is rejected.
    public var maxRecordBytes = 1 << 20
    /// `input.format`: how records are written.
    public var format = Format.json
    /// `input.registry`: where the schemas of Avro are; nil for JSON.
    public var registry: RegistrySection?
    /// `input.keyedBy`: what the transactions are keyed by.
    public var keyedBy = Keying.customerID
    /// `input.sessions.keyedBy`: what the sessions are keyed by; nil: as the transactions, over a state as that was built.
    public var sessionsKeyedBy: Keying?
    /// `input.statusUpdates`: an update that changes a transaction's status moves the counts of its open windows.
    public var statusUpdates = false
    /// `input.sessionsWhenEnded`: a session counts when it has ended, not when it began.
    public var sessionsWhenEnded = false
    /// `input.deduplicate.by`: what tells transactions and sessions that Debezium sent again.
    public var deduplicateBy = Deduplication.none
    /// `input.deduplicate.horizon`: how long ids are remembered, by event time.
    public var deduplicationHorizon = EventSpan.hours(24)
    /// How records are written.
    public var form: InputFormSection

    public enum Format: String, Sendable, CaseIterable {
        case json
        /// With the numbers of its schemas, which a registry has.
        case avro
    }

    public enum Keying: String, Sendable, CaseIterable {
        case customerID = "customer_id"
        /// By the row's id, which is Debezium's default, or by anything else: they are re-keyed.
        case id
    }

    public enum Deduplication: String, Sendable, CaseIterable {
        case none, id
    }

    public enum Source: Sendable {
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

/// `input.kafka`.
public struct KafkaInputSection: Sendable {
    /// `input.kafka.properties`: passed to librdkafka as they are. Any of them may hold a secret, so all are hidden.
    public var properties: [String: Secret] = [:]
    /// `input.kafka.start`: where to begin in partitions that there is no state of yet.
    public var start = Start.earliest

    public enum Start: Sendable, Equatable {
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
