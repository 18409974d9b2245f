import Avro
import Engine

/// How the input's records are written, where the records themselves don't say.
package struct InputForm: Sendable {
    /// What a flat row of a stream that doesn't say its operation is.
    package var operations = Operations.records
    /// What stands before the names of fields and headers that Debezium adds (`add.fields.prefix`, `add.headers.prefix`).
    package var addFieldsPrefix = "__"
    /// What Debezium writes in place of a value that the database did not hand over (`unavailable.value.placeholder`).
    package var unavailableValue = "__debezium_unavailable_value"
    /// What a decimal's text is where no schema says it.
    package var decimals = Decimals.text
    /// The zone of times that name none; nil for UTC.
    package var zone: ZoneOffsets?
    /// Of records in Avro; nil for JSON.
    package var avro: AvroForm?

    package enum Operations: String, Sendable, CaseIterable {
        /// Every record says it; one that doesn't is rejected.
        case records
        /// A record that doesn't say it is an insert.
        case inserts
    }

    package enum Decimals: Sendable, Equatable {
        /// Digits with or without a point: Debezium's `decimal.handling.mode=string`.
        case text
        /// The unscaled value's bytes in Base64, with this many decimal places: `precise`, Debezium's default.
        case precise(scale: Int)
    }

    package init() {}

    /// The headers that the job looks at.
    package var headerNames: [String] { [addFieldsPrefix + "op", "\(SourceRecord.oldKeyHeader)", "\(SourceRecord.newKeyHeader)"] }
}

/// How records in Avro name their schemas, and where these are.
package struct AvroForm: Sendable {
    package let framing: SchemaFraming
    package let schemas: any SchemaTable

    package init(framing: SchemaFraming, schemas: any SchemaTable) {
        self.framing = framing
        self.schemas = schemas
    }
}
