import CRdKafka

extension KafkaProperties {
    /// The version of the librdkafka that runs.
    public static var libraryVersion: String { String(cString: rd_kafka_version_str()) }
}
