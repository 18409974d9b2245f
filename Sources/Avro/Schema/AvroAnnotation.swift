/// What a schema says of a type beyond how it is written.
public struct AvroAnnotation: Equatable, Sendable {
    /// Avro's own name of what a value means, such as `timestamp-micros`.
    public var logicalType: String?
    /// Kafka Connect's name of it, such as `io.debezium.time.MicroTimestamp`.
    public var connectName: String?
    /// Of a decimal: how many of its digits stand behind the point. 0 where the schema names none.
    public var scale: Int

    public init(logicalType: String? = nil, connectName: String? = nil, scale: Int = 0) {
        self.logicalType = logicalType
        self.connectName = connectName
        self.scale = scale
    }

    public static let none = AvroAnnotation()
}
