import Avro
import Testing

@Suite("Avro's schemas are read as Avro says, and what is none is refused with its reason")
struct SchemaTests {
    private func problem(_ text: String, references: [String] = []) -> String {
        do throws(AvroSchemaError) {
            _ = try AvroSchema(Array(text.utf8), references: references.map { Array($0.utf8) })
            return "none"
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        #""string""#, #"{"type":"long"}"#, #"{"type":{"type":"string"}}"#, #"["null","int"]"#, "[]",
        #"{"type":"record","name":"a","fields":[]}"#,
        #"{"type":"record","name":"a.b","fields":[{"name":"x","type":["null","b"]}]}"#,
        #"{"type":"record","name":"a","namespace":"n","fields":[{"name":"x","type":{"type":"array","items":"n.a"}}]}"#,
        #"{"type":"record","name":"a","namespace":"n","fields":[{"name":"x","type":{"type":"map","values":"a"}}]}"#,
        #"{"type":"record","name":"o","namespace":"p","fields":[{"name":"x","type":{"type":"enum","name":"e","symbols":["A"]}},{"name":"y","type":"p.e"}]}"#,
        #"{"type":"fixed","name":"f","size":0}"#,
        "\n\t {\"type\" : \"enum\", \"name\":\"\\u0065\", \"symbols\":[], \"default\": -1.5e+3, \"doc\": \"\\ud83d\\ude80 \\\"\\\\\\/\\b\\f\\n\\r\\t\"}\r\n",
    ])
    func aSchemaIsRead(text: String) { #expect(problem(text) == "none") }

    @Test(arguments: [
        ("", "is no JSON"), ("{", "is no JSON"), (#""string" 1"#, "something follows"), (#"{"type":"record""#, "is no JSON"),
        ("\"\u{1}\"", "control"),
        (#""\ud800""#, "half a character"), (#""\x""#, "unknown escape"), (#""\u12""#, "unknown escape"), ("nul", "no value begins so"),
        ("7", "where a type was expected"),
        (#""strong""#, "names a type strong"), (#"[["null"],"int"]"#, "union in a union"), ("{}", "without a type"),
        (#"{"type":"record","fields":[]}"#, "without a name"), (#"{"type":"record","name":"a"}"#, "without fields"),
        (#"{"type":"record","name":"a","fields":[{"name":"x"}]}"#, "field without name or type"),
        (#"{"type":"record","name":"a","fields":[{"name":"x","type":"a"}]}"#, "holds itself without end"),
        (
            #"{"type":"record","name":"a","fields":[{"name":"x","type":{"type":"record","name":"b","fields":[{"name":"y","type":"a"}]}}]}"#,
            "holds itself without end"
        ),
        (#"{"type":"record","name":"a","fields":[{"name":"x","type":{"type":"fixed","name":"a","size":1}}]}"#, "defines a twice"),
        (#"{"type":"enum","name":"e"}"#, "without symbols"), (#"{"type":"enum","name":"e","symbols":[1]}"#, "no text"),
        (#"{"type":"fixed","name":"f","size":-1}"#, "without a size"), (#"{"type":"fixed","name":"f","size":1.5}"#, "without a size"),
        (#"{"type":"array"}"#, "without the type of its items"), (#"{"type":"map","values":7}"#, "where a type was expected"),
    ])
    func whatIsNoSchemaIsRefused(text: String, reason: String) { #expect(problem(text).contains(reason), "\(problem(text))") }

    @Test func aSchemaUsesTypesOfOthers() {
        let record = #"{"type":"record","name":"a","fields":[{"name":"x","type":"n.b"},{"name":"y","type":"n.c"}]}"#
        let second = #"{"type":"record","name":"b","namespace":"n","fields":[{"name":"z","type":"c"}]}"#
        let first = #"{"type":"enum","name":"c","namespace":"n","symbols":["S"]}"#
        #expect(problem(record, references: [first, second]) == "none")
        #expect(problem(record, references: [second, first]).contains("names a type c"))
    }

    @Test func depthAndSizeHaveLimits() {
        let deep = String(repeating: #"{"type":"array","items":"#, count: 300) + #""int""# + String(repeating: "}", count: 300)
        #expect(problem(deep).contains("deeper than"))
        #expect(problem(String(repeating: "[", count: 100_000)).contains("deeper than"))
        let wide = "[" + Array(repeating: #""int""#, count: 20_000).joined(separator: ",") + "]"
        #expect(problem(wide).contains("more than 16384 types"))
        #expect(problem("\"" + String(repeating: "x", count: AvroSchema.byteLimit) + "\"").contains("bytes"))
        // Each record holds the next one twice: 2 to the hundredth, if anybody wrote them out.
        var doubling = #"{"type":"record","name":"r0","fields":[]}"#
        for level in 1...100 {
            doubling =
                #"{"type":"record","name":"r\#(level)","fields":[{"name":"x","type":\#(doubling)},{"name":"y","type":"r\#(level - 1)"}]}"#
        }
        #expect(problem(doubling).contains("deeper than"))
    }

    /// What Kafka Connect's converter writes of Debezium's columns.
    @Test(arguments: [
        (
            #"{"type":"long","connect.version":1,"connect.name":"io.debezium.time.MicroTimestamp"}"#,
            AvroAnnotation(connectName: "io.debezium.time.MicroTimestamp")
        ),
        (
            #"{"type":"bytes","scale":2,"precision":12,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}"#,
            AvroAnnotation(logicalType: "decimal", connectName: "org.apache.kafka.connect.data.Decimal", scale: 2)
        ),
        (
            #"{"type":"bytes","connect.parameters":{"scale":"-3"},"connect.name":"org.apache.kafka.connect.data.Decimal"}"#,
            AvroAnnotation(connectName: "org.apache.kafka.connect.data.Decimal", scale: -3)
        ),
        (#"{"type":"long","logicalType":"timestamp-millis"}"#, AvroAnnotation(logicalType: "timestamp-millis")),
        (
            #"{"type":"fixed","name":"d","size":8,"logicalType":"decimal","precision":9,"scale":4}"#,
            AvroAnnotation(logicalType: "decimal", scale: 4)
        ),
        (#"{"type":"string","connect.name":"io.debezium.data.Json"}"#, AvroAnnotation(connectName: "io.debezium.data.Json")),
        (#""int""#, .none),
    ])
    func whatASchemaSaysOfAColumnIsKept(column: String, annotation: AvroAnnotation) throws {
        let schema = try AvroSchema(Array(#"{"type":"record","name":"r","fields":[{"name":"x","type":["null",\#(column)]}]}"#.utf8))
        #expect(schema.annotations.last == annotation)
    }
}
