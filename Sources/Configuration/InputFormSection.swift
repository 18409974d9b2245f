import Engine

/// The keys of `input` that say how records are written, where the records themselves don't.
package struct InputFormSection: Sendable {
    /// `input.operations`: whether a flat record of a stream has to say what was done to its row.
    package var operations = Operations.records
    /// `input.addFieldsPrefix`: what stands before the names of the fields and headers that Debezium adds.
    package var addFieldsPrefix = "__"
    /// `input.unavailableValue`: what stands in place of a value that the database did not hand over.
    package var unavailableValue = "__debezium_unavailable_value"
    /// `input.decimals`: what the text of a decimal is, where no schema comes with it.
    package var decimals = Decimals.string
    /// `input.decimalScale`: how many decimal places a `precise` decimal has.
    package var decimalScale = 2
    /// `input.timeZone`: the zone of times that name none; nil for UTC.
    package var zone: ZoneOffsets?

    package enum Operations: String, Sendable, CaseIterable {
        case records
        /// One that doesn't say it is an insert.
        case inserts
    }

    package enum Decimals: String, Sendable, CaseIterable {
        /// Debezium's `decimal.handling.mode=string`, or numbers.
        case string
        /// Debezium's default.
        case precise
    }

    init(_ reader: inout SettingsReader) {
        operations = reader.choice("input.operations", default: operations)
        let shortName = "1 to 64 bytes of text"
        addFieldsPrefix = reader.value("input.addFieldsPrefix", default: addFieldsPrefix, expected: "at most 64 bytes of text") {
            $0.utf8.count <= 64 ? $0 : nil
        }
        unavailableValue = reader.value("input.unavailableValue", default: unavailableValue, expected: shortName) {
            (1...64).contains($0.utf8.count) ? $0 : nil
        }
        decimals = reader.choice("input.decimals", default: decimals)
        decimalScale = reader.integer("input.decimalScale", default: decimalScale, in: 0...38)
        zone = reader.value(
            "input.timeZone", default: ZoneOffsets?.none, expected: "UTC, a zone such as Europe/Berlin, or an offset such as +02:00"
        ) {
            TimeZones.offsets($0)
        }
    }
}
