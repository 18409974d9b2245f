import Engine
import FintechJob
import TestSupport
import Testing

@Suite("What Connect's schema says of a column is what its values are read by")
struct ConnectSchemaTests {
    /// A column as the schema names it, with the JSON of its value.
    struct Column {
        let name: String
        let type: String
        let value: String
    }

    private static func columns(
        createdAt: (type: String, value: String) = (
            #"{"type":"string","name":"io.debezium.time.ZonedTimestamp"}"#, #""2025-03-10T10:00:00Z""#
        )
    ) -> [Column] {
        let text = #"{"type":"string"}"#
        func decimal(_ scale: Int) -> String {
            #"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"\#(scale)","connect.decimal.precision":"15"}}"#
        }
        return [
            Column(name: "id", type: #"{"type":"string","name":"io.debezium.data.Uuid"}"#, value: #""t1""#),
            Column(name: "customer_id", type: #"{"type":"int64"}"#, value: "77"),
            Column(name: "amount", type: decimal(2), value: #""1000""#),
            Column(name: "fee_amount", type: decimal(4), value: #""Jw8=""#),
            Column(name: "risk_score", type: text, value: #""1000""#),
            Column(name: "created_at", type: createdAt.type, value: createdAt.value),
            Column(name: "transaction_type", type: text, value: #""deposit""#), Column(name: "status", type: text, value: #""failed""#),
        ]
    }

    private static func fields(_ columns: [Column]) -> String {
        columns.map { $0.type.dropLast() + #","optional":true,"field":"\#($0.name)"}"# }.joined(separator: ",")
    }

    private static func row(_ columns: [Column]) -> String {
        "{" + columns.map { #""\#($0.name)":\#($0.value)"# }.joined(separator: ",") + "}"
    }

    /// As the converter writes an envelope with its schema.
    private static func envelope(_ columns: [Column]) -> String {
        let image = { (name: String) in
            #"{"type":"struct","fields":[\#(fields(columns))],"optional":true,"name":"f.Value","field":"\#(name)"}"#
        }
        let source = #"{"type":"struct","fields":[{"type":"string","field":"amount"}],"field":"source"}"#
        let schema =
            #"{"type":"struct","fields":[\#(image("before")),\#(image("after")),\#(source),{"type":"string","field":"op"}],"optional":false,"name":"f.Envelope"}"#
        return #"{"schema":\#(schema),"payload":{"before":null,"after":\#(row(columns)),"source":{"amount":"x"},"op":"c"}}"#
    }

    /// As it writes an unwrapped row.
    private static func flat(_ columns: [Column]) -> String {
        #"{"schema":{"type":"struct","fields":[\#(fields(columns))],"optional":false},"payload":\#(row(columns))}"#
    }

    private static func outcome(_ value: String, _ form: InputForm = .ofInserts) -> String {
        DecoderOutcome.transaction(Array(value.utf8), form: form).text
    }

    @Test(arguments: [true, false])
    func decimalsHaveTheirScaleAndTextsAreTexts(isEnvelope: Bool) {
        let text = Self.outcome(isEnvelope ? Self.envelope(Self.columns()) : Self.flat(Self.columns()))
        for part in ["customer=77", "amount=-2667212", "fee=100", "risk=100000", "at=1741600800000"] {
            #expect(text.contains(part), "\(part): \(text)")
        }
    }

    @Test(arguments: [
        (#"{"type":"int64","name":"io.debezium.time.MicroTimestamp"}"#, "1741600800000999", Int64(1_741_600_800_000)),
        (#"{"type":"int64","name":"io.debezium.time.Timestamp"}"#, "1741600800001", 1_741_600_800_001),
        (#"{"type":"int64","name":"io.debezium.time.NanoTimestamp"}"#, "1741600800000999999", 1_741_600_800_000),
        (#"{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"}"#, "1741600800002", 1_741_600_800_002),
        // Of before 2000, which no guess takes for microseconds.
        (#"{"type":"int64","name":"io.debezium.time.MicroTimestamp"}"#, "1000000", 1000),
        (#"{"type":"int32","name":"io.debezium.time.Date"}"#, "20157", 1_741_564_800_000),
    ])
    func timesHaveTheirUnit(type: String, value: String, expected: Int64) {
        #expect(Self.outcome(Self.envelope(Self.columns(createdAt: (type, value)))).contains("at=\(expected) "))
    }

    @Test func theEndOfTimeIsNoTime() {
        let type = #"{"type":"int64","name":"io.debezium.time.MicroTimestamp"}"#
        for value in [
            "253402300799999999", "9223371331200000000", "-210866803200000000", "-9223372036854775808", "-9223372036854775807",
            "9223372036854775807",
        ] {
            #expect(Self.outcome(Self.envelope(Self.columns(createdAt: (type, value)))) == "rejected bad_value:created_at")
        }
    }

    /// Berlin went from one hour ahead to two on 30 March 2025 at 01:00 UTC, and back on 26 October.
    @Test(arguments: [
        ("1741600800000", Int64(1_741_597_200_000)), ("\"2025-03-10T10:00:00\"", 1_741_597_200_000),
        ("\"2025-03-10T10:00:00Z\"", 1_741_600_800_000),
        ("\"2025-07-01T12:00:00.5\"", 1_751_364_000_500),
        ("\"2025-03-30T01:59:59\"", 1_743_296_399_000), ("\"2025-03-30T03:00:00\"", 1_743_296_400_000),
        // What clocks leap over is as much later, what they show twice is the first.
        ("\"2025-03-30T02:30:00\"", 1_743_298_200_000), ("\"2025-10-26T02:30:00\"", 1_761_438_600_000),
        ("\"2025-10-26T03:00:00\"", 1_761_444_000_000),
    ])
    func timesWithoutAZoneAreThoseOfTheSetOne(value: String, expected: Int64) {
        var form = InputForm.ofInserts
        form.zone = ZoneOffsets(first: 3_600_000, changes: [(1_743_296_400_000, 7_200_000), (1_761_440_400_000, 3_600_000)])
        let row = #"{"id":"t","customer_id":"c","amount":"1.00","created_at":\#(value),"transaction_type":"x","status":"y"}"#
        #expect(Self.outcome(row, form).contains("at=\(expected) "), "\(Self.outcome(row, form))")
    }

    @Test func aSchemaThatIsNoneSaysNothing() {
        for schema in [
            "null", "{}", #"{"fields":7}"#,
            #"{"fields":[1,{"field":2},{"field":"amount","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"x"}}]}"#,
        ] {
            let value =
                #"{"schema":\#(schema),"payload":{"id":"t","customer_id":"c","amount":"12.50","created_at":0,"transaction_type":"x","status":"y"}}"#
            #expect(Self.outcome(value).contains("amount=1250"), "\(schema)")
        }
    }

    /// A topic's schema changes with its table's columns, back and forth.
    @Test func eachRecordIsReadByItsOwnSchema() {
        var decoder = TransactionDecoder(maxAhead: nil, form: .ofInserts)
        let scratch = ScratchMemory()
        for round in 0..<40 {
            let scale = round % 12
            let value = Self.envelope(Self.columns()).replacing(#""scale":"2""#, with: #""scale":"\#(scale)""#)
            let amount: Int64? = Array(value.utf8).withUnsafeBytes { bytes in
                let record = SourceRecord(offset: 0, timestamp: nil, key: .null, value: ByteView(bytes))
                guard case .event(let event, _) = decoder.decode(record, scratch: scratch) else { return nil }
                return event.amount
            }
            let expected: [Int64] = [-266_721_200, -26_672_120, -2_667_212, -266_721, -26_672, -2667, -267, -27, -3, 0, 0, 0]
            #expect(amount == expected[scale], "scale \(scale)")
        }
    }

    @Test(arguments: [1 as UInt64, 2])
    func damagedRecordsWithSchemasStopNothing(seed: UInt64) {
        let lines = [
            Self.envelope(Self.columns()), Self.flat(Self.columns()),
            Self.envelope(Self.columns(createdAt: (#"{"type":"int64","name":"io.debezium.time.MicroTimestamp"}"#, "1741600800000999"))),
        ]
        var mutation = Mutation(seed: seed, lines: lines.map { Array($0.utf8) })
        var form = InputForm.ofInserts
        form.decimals = .precise(scale: 2)
        form.zone = ZoneOffsets(ahead: 3_600_000)
        form.addFieldsPrefix = "_x_"
        var decoder = TransactionDecoder(maxAhead: nil, form: form)
        let scratch = ScratchMemory()
        var events = 0
        for _ in 0..<6000 {
            scratch.reset()
            withGuardedBytes(mutation.next()) { value in
                if case .event = decoder.decode(SourceRecord(offset: 0, timestamp: nil, key: .null, value: value), scratch: scratch) {
                    events += 1
                }
            }
        }
        #expect(events > 100)
    }
}
