import Engine

/// What to set, or to see to, when records or fields of the input can't be used.
package enum RejectionCure {
    /// By the reason as `rejected_records` and the metrics have it (`bad_value:amount`); nil where nothing general can be said.
    package static func words(for reason: String) -> String? {
        let parts = reason.parts(at: ":", maxSplits: 1)
        let field = parts.count > 1 ? String(parts[1]) : ""
        return switch String(parts[0]) {
        case "missing_operation":
            "flat records have to say what was done to their rows: have Debezium add it (add.fields=op or add.headers=op, with another prefix input.addFieldsPrefix), or set input.operations: inserts if all of them are inserts"
        case "malformed_json":
            "the values are no JSON objects: set value.converter to org.apache.kafka.connect.json.JsonConverter, or input.format: avro where they are in Avro"
        case "malformed_avro":
            "the values are not in Avro, or framed otherwise: see to value.converter, and to input.registry.api, .ids and .idBytes"
        case "unknown_schema":
            "the registry has no schema of the id that the records name: input.registry.url is another registry than the writer's, or the schema was deleted"
        case "unusable_schema":
            "the registry's schema is none of Avro: set value.converter to an Avro converter"
        case "printed_struct":
            "a string converter wrote them: set key.converter and value.converter to org.apache.kafka.connect.json.JsonConverter"
        case "unavailable":
            "the database did not hand the value over: set REPLICA IDENTITY FULL on the table, so that unchanged large values come too"
        case "missing_field":
            "\(field) is not in the records, or null: see to the connector's lists of columns, and to the column's name and rows"
        case "unknown_operation":
            "operations are Debezium's letters c, r, u, d and t, in op, \(InputForm().addFieldsPrefix)op or the header of that name: have them written so, or set input.operations: inserts and leave them out"
        case "update_without_before":
            "a status can only be moved from what it was: set REPLICA IDENTITY FULL on the table, and send envelopes (no ExtractNewRecordState)"
        case "bad_value" where flagFields.contains(field): "flags are true, false, 1, 0, t or f"
        case "bad_value" where timeFields.contains(field):
            "times are ISO 8601 or counts since 1970, no further ahead of the record's Kafka time than time.maxAhead; without a zone they follow input.timeZone"
        case "bad_value" where decimalFields.contains(field): decimals
        case "base64_decimal": "decimals come in Base64: " + decimals
        case "ambiguous_decimal":
            "\(field) was digits alone, which may be a number or Base64, and was taken for a number. If it is one, nothing is to be done; else "
                + decimals
        case "unjudged_rule":
            "accounts have fields that can't be used, so the rule was not judged: see to the defects of reference table accounts"
        case "maybe_seconds":
            "\(field) was read as milliseconds since 1970 and lies in the first weeks of 1970; as seconds it would lie in our time: have it written in milliseconds"
        case "too_large": "raise input.maxRecordBytes, or have the records written smaller"
        default: nil
        }
    }

    /// Of records in a form that is not read, by its name.
    package static func words(forForm form: String) -> String {
        let converter = "set value.converter to org.apache.kafka.connect.json.JsonConverter"
        if form.begins(with: "Avro") { return "set input.format: avro with input.registry.url, or \(converter)" }
        return form.begins(with: "a CloudEvent")
            ? "\(converter) instead of Debezium's CloudEventsConverter" : "\(converter), as values have to be JSON or Avro"
    }

    /// Whether records in a form that is not read are JSON objects all the same.
    package static func isObject(form: String) -> Bool { form.begins(with: "a CloudEvent") }

    /// Of keys that do not bring a customer's records into one partition.
    package static let wordsForKeys =
        "key the topic by customer_id (Debezium: message.key.columns=<schema>.<table>:customer_id), or set input.keyedBy: id (of sessions alone input.sessions.keyedBy) before the first start"

    private static let decimals =
        "set decimal.handling.mode=string at the connector, or input.decimals: precise with input.decimalScale, or have the converter send its schema"
    private static let timeFields: Set<String> = ["created_at", "started_at", "ended_at"]
    private static let decimalFields: Set<String> = ["amount", "fee_amount", "risk_score", "balance", "minimum_balance"]
    private static let flagFields: Set<String> = ["is_frozen", "is_active"]
}
