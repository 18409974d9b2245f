import Avro
import Engine
import FintechJob
import Simulation
import TestSupport
import Testing

@Suite("Records in Avro give what the same records give as JSON", .serialized)
struct AvroTests {
    private static func form(_ topics: AvroTopics, framing: SchemaFraming = SchemaFraming()) -> InputForm {
        var form = InputForm()
        form.avro = AvroForm(framing: framing, schemas: KnownSchemas(topics.schemas, space: framing.space))
        return form
    }

    private static func shown(_ row: GoldenRow) -> GoldenRow {
        var row = row
        if row.columns["reason"] == .text("malformed_json") { row.columns["reason"] = .text("malformed_avro") }
        return row
    }

    private static func rows(of golden: GoldenCase, _ form: InputForm, _ values: (String) throws -> [[UInt8]]) throws -> [(
        table: String, rows: [GoldenRow]
    )] {
        var settings = FintechSettings()
        settings.form = form
        if golden.name == GoldenCase.rules.name { settings.alertThreshold = 0 }
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        try run.run { [try values($0)] }
        return try topology.tables.map { ($0.name, try GoldenRow.rows(of: $0, in: run.chunks).map { shown(try $0.shownInGolden()) }) }
    }

    /// Half-way through each topic its columns move, some come and one goes. (Not the case `edge`: without a schema its amounts in Base64 make
    /// digits doubtful, which with one they are not.)
    @Test(arguments: [GoldenCase.basic, .rules], AvroTopics.Form.allCases)
    func everyTableHoldsTheRowsOfTheJSON(of golden: GoldenCase, written form: AvroTopics.Form) throws {
        let topics = try AvroTopics(golden, form)
        let expected = try AvroTests.rows(of: golden, .ofInserts) { try golden.input($0)[0] }
        let actual = try AvroTests.rows(of: golden, AvroTests.form(topics)) { try topics.values($0) }
        for ((table, expected), (_, actual)) in zip(expected, actual) {
            #expect(!expected.isEmpty)
            let differences = rowDifferences(actual, expected: expected)
            #expect(differences.isEmpty, "\(golden), \(form), \(table):\n\(differences.joined(separator: "\n"))")
        }
    }

    /// A record of one schema with these columns, and what the decoder makes of it.
    private func outcome(
        _ columns: String, _ bytes: [UInt8], frame: [UInt8] = [0, 0, 0, 0, 1], headers: [String: [UInt8]] = [:],
        framing: SchemaFraming = SchemaFraming()
    ) -> String {
        let row = #"""
            {"type":"record","name":"r","fields":[{"name":"id","type":"string"},{"name":"customer_id","type":["null","string"]},{"name":"amount","type":\#(columns)},
            {"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"transaction_type","type":"string"},
            {"name":"status","type":{"type":"enum","name":"s","symbols":["pending","completed"]}},{"name":"__op","type":"string"}]}
            """#
        var form = InputForm()
        form.avro = AvroForm(framing: framing, schemas: KnownSchemas([row, "\"bytes\"", "nonsense"], space: framing.space))
        var decoder = TransactionDecoder(maxAhead: nil, form: form)
        // 1, c, the amount, 1 741 600 800 000 ms, t, completed, c.
        let value = frame + [2, 0x31, 2, 2, 0x63] + bytes + [0x80, 0xF4, 0xF9, 0xF7, 0xAF, 0x65, 2, 0x74, 2, 2, 0x63]
        return withRecords([TestRecord(value: value, headers: headers)]) { records in
            switch decoder.decode(records[0], scratch: ScratchMemory()) {
            case .event(let event, let time):
                "\(event.id.text) \(event.customerID.text) \(event.amount) \(time.milliseconds) \(event.type.text) \(event.status)"
            case .amendment(let event, _): "\(event.id.text) is \(event.status)"
            case .skipped(let reason): "\(reason)"
            case .rejected(let rejection): "\(rejection.reason):\(rejection.field.map { "\($0)" } ?? "")"
            }
        }
    }

    @Test(
        arguments: [
            (#""string""#, [8, 0x31, 0x2E, 0x32, 0x33], "123"), (#""int""#, [6], "300"),
            (#""double""#, [0, 0, 0, 0, 0, 0, 0xF4, 0x3F], "125"), (#""float""#, [0, 0, 0xA0, 0x3F], "125"),
            (#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}"#, [4, 0x03, 0xE8], "100"),
            (#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":1}"#, [2, 0xFF], "-10"),
            (#"{"type":"fixed","name":"d","size":4,"logicalType":"decimal","precision":9,"scale":2}"#, [0, 0, 0, 7], "7"),
            (#"{"type":"bytes","scale":4,"connect.name":"org.apache.kafka.connect.data.Decimal"}"#, [4, 0x27, 0x10], "100"),
            (
                #"["null",{"type":"record","name":"V","connect.name":"io.debezium.data.VariableScaleDecimal","fields":[{"name":"scale","type":"int"},{"name":"value","type":"bytes"}]}]"#,
                [2, 2, 2, 15], "150"
            ),
        ] as [(String, [UInt8], String)])
    func anAmountIsRead(type: String, bytes: [UInt8], cents: String) {
        #expect(outcome(type, bytes) == "1 c \(cents) 1741600800000 t completed")
    }

    @Test(
        arguments: [
            ("\"bytes\"", [2, 9], "bad_value:amount"), ("\"null\"", [], "missing_field:amount"),
            (#"{"type":"array","items":"int"}"#, [0], "bad_value:amount"),
            (#"{"type":"record","name":"n","fields":[]}"#, [], "bad_value:amount"), ("\"boolean\"", [1], "bad_value:amount"),
            ("\"double\"", [0, 0, 0, 0, 0, 0, 0xF8, 0x7F], "bad_value:amount"),
            ("\"boolean\"", [7], "malformed_avro:"), (#""string""#, [2, 0xFF], "malformed_avro:"),
        ] as [(String, [UInt8], String)])
    func whatIsNoAmountIsRejected(type: String, bytes: [UInt8], reason: String) { #expect(outcome(type, bytes) == reason) }

    @Test(
        arguments: [
            ([0, 0, 0, 0, 2], "malformed_avro:"), ([0, 0, 0, 0, 3], "unusable_schema:"), ([0, 0, 0, 0, 4], "unknown_schema:"),
            ([1, 0, 0, 0, 1], "malformed_avro:"), ([], "malformed_avro:"),
        ] as [([UInt8], String)])
    func whatNamesNoUsableSchemaIsRejected(frame: [UInt8], reason: String) { #expect(outcome("\"int\"", [6], frame: frame) == reason) }

    @Test func apicuriosHeadersNameTheSchema() {
        var framing = SchemaFraming(space: .global, numberBytes: .eight)
        framing.looksAtHeaders = true
        let number: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1]
        let event = "1 c 300 1741600800000 t completed"
        #expect(outcome("\"int\"", [6], frame: [], headers: ["apicurio.value.globalId": number], framing: framing) == event)
        #expect(outcome("\"int\"", [6], frame: [], headers: ["apicurio.value.contentId": number], framing: framing) == "unknown_schema:")
        #expect(outcome("\"int\"", [6], frame: [0] + number, framing: framing) == event)
        #expect(outcome("\"int\"", [6], frame: [], headers: ["apicurio.key.globalId": number], framing: framing) == "malformed_avro:")
        framing.looksAtHeaders = false
        #expect(outcome("\"int\"", [6], frame: [], headers: ["apicurio.value.globalId": number], framing: framing) == "malformed_avro:")
    }

    @Test(arguments: AvroTopics.Form.allCases)
    func mutatedRecordsAreDecodedOrRejected(written form: AvroTopics.Form) throws {
        let topics = try AvroTopics(.rules, form)
        let values = try topics.values(GoldenCase.streams[0])
        let inputForm = AvroTests.form(topics)
        var random = SeededRandom(seed: 12)
        var outcomes: [String: Int] = [:]
        for _ in 0..<12_000 {
            var value = values[random.number(in: 0...values.count - 1)]
            for _ in 0...random.number(in: 0...2) where value.count > 5 {
                let place = random.number(in: 5...value.count - 1)
                switch random.number(in: 0...4) {
                case 0: value[place] = UInt8(random.number(in: 0...255))
                case 1: value[place] ^= 1 << UInt8(random.number(in: 0...7))
                case 2: value.removeSubrange(place..<min(place + random.number(in: 1...9), value.count))
                case 3: value.insert(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], at: place)
                default: value.insert(UInt8(random.number(in: 0...255)), at: place)
                }
            }
            switch DecoderOutcome.transaction(value, form: inputForm) {
            case .event: outcomes["event", default: 0] += 1
            case .skipped: outcomes["skipped", default: 0] += 1
            case .rejected(let reason): outcomes[String(reason.prefix { $0 != ":" }), default: 0] += 1
            }
        }
        for kind in ["event", "malformed_avro", "bad_value"] { #expect(outcomes[kind, default: 0] > 50, "\(outcomes)") }
    }
}
