import Engine

/// How the input's records are written, where the records themselves don't say.
public struct InputForm: Sendable {
    /// What a flat row of a stream that doesn't say its operation is.
    public var operations = Operations.records
    /// What stands before the names of fields and headers that Debezium adds (`add.fields.prefix`, `add.headers.prefix`).
    public var addFieldsPrefix = "__"
    /// What Debezium writes in place of a value that the database did not hand over (`unavailable.value.placeholder`).
    public var unavailableValue = "__debezium_unavailable_value"
    /// What a decimal's text is where no schema says it.
    public var decimals = Decimals.text
    /// The zone of times that name none; nil for UTC.
    public var zone: ZoneOffsets?
    /// Of records in Avro; nil for JSON.
    public var avro: AvroForm?

    public enum Operations: String, Sendable, CaseIterable {
        /// Every record says it; one that doesn't is rejected.
        case records
        /// A record that doesn't say it is an insert.
        case inserts
    }

    public enum Decimals: Sendable, Equatable {
        /// Digits with or without a point: Debezium's `decimal.handling.mode=string`.
        case text
        /// The unscaled value's bytes in Base64, with this many decimal places: `precise`, Debezium's default.
        case precise(scale: Int)
    }

    public init() {}

    /// The headers that the job looks at.
    public var headerNames: [String] { [addFieldsPrefix + "op", "\(SourceRecord.oldKeyHeader)", "\(SourceRecord.newKeyHeader)"] }
}
