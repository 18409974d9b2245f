import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Transactions are decoded in every form that Debezium writes, and what can't be used says why")
struct TransactionDecoderTests {
    static let plainRow = [
        ("id", #""t1""#), ("customer_id", #""c1""#), ("amount", #""12.34""#), ("created_at", #""2025-03-10T10:00:00.000Z""#),
        ("transaction_type", #""deposit""#), ("status", #""completed""#),
    ]

    static let required = #"""
        id: "t2" => event id=t2 customer=c1 amount=1234 at=1741600800000 type=deposit status=completed fee=0 risk=0
        value: {} => rejected missing_field:id
        id: - => rejected missing_field:id
        id: null => rejected missing_field:id
        id: 7 => event id=7
        id: -7 => event id=-7
        id: 7.0 => rejected bad_value:id
        id: 7e1 => rejected bad_value:id
        id: "t2   " => event id=t2
        id: "   " => rejected bad_value:id
        id: true => rejected bad_value:id
        id: {} => rejected bad_value:id
        id: "" => rejected bad_value:id
        id: "<<x*256>>" => event amount=1234
        id: "<<x*257>>" => rejected bad_value:id
        id: "<<\u0041*256>>" => event amount=1234
        id: "<<\u0041*257>>" => rejected bad_value:id
        customer_id: "<<é*128>>" => event amount=1234
        customer_id: "<<é*129>>" => rejected bad_value:customer_id
        customer_id: - => rejected missing_field:customer_id
        customer_id: []; id: null => rejected missing_field:id
        customer_id: []; amount: null => rejected bad_value:customer_id
        amount: null; created_at: "x" => rejected missing_field:amount
        created_at: null; transaction_type: 1 => rejected missing_field:created_at
        transaction_type: null; status: 1 => rejected missing_field:transaction_type
        transaction_type: "" => rejected bad_value:transaction_type
        status: - => rejected missing_field:status
        status: "<<s*257>>"; fee_amount: [] => rejected bad_value:status
        status: "failed" => event status=failed
        status: "pending" => event status=pending
        status: "Completed" => event status=other
        fee_amount: []; risk_score: [] => rejected bad_value:fee_amount
        risk_score: [] => rejected bad_value:risk_score
        """#

    static let optional = #"""
        fee_amount: null => event fee=0
        fee_amount: "1.5" => event fee=150
        fee_amount: "" => rejected bad_value:fee_amount
        fee_amount: "NaN"; risk_score: "-Infinity" => event fee=0 risk=0
        fee_amount: "NAN"; risk_score: "NEGATIVE_INFINITY" => event fee=0 risk=0
        fee_amount: {"scale":3,"value":"BNI="} => event fee=123
        fee_amount: {"scale":3} => rejected bad_value:fee_amount
        amount: {"scale":0,"value":"f////////////////////w=="} => rejected bad_value:amount
        amount: {"scale":-127,"value":"gAAAAAAAAAAAAAAAAAAAAA=="} => rejected bad_value:amount
        amount: {"scale":127,"value":"f////////////////////w=="} => event amount=0
        fee_amount: false => rejected bad_value:fee_amount
        risk_score: 19.4 => event risk=1940
        risk_score: "70.005" => event risk=7001
        merchant_id: "m1"; from_account_id: "a1"; to_account_id: "a2"; device_fingerprint: "d1" => event merchant=m1 from=a1 to=a2 device=d1
        merchant_id: 5; from_account_id: ""; to_account_id: null; device_fingerprint: "<<d*257>>" => event merchant=5 from=- to=- device=-
        transaction_location: "{\"country\": \"PE\", \"city\": \"Lima\"}" => event country=PE city=Lima
        transaction_location: {"country": "PE", "city": "Lima"} => event country=PE city=Lima
        transaction_location: "{\"country\": \"\\u0050E\", \"city\": \"S\\u00e3o\"}" => event country=PE city=São
        transaction_location: {"country": [], "city": ""} => event country=- city=-
        transaction_location: "not json" => event country=- city=-
        transaction_location: "{\"country\": \"PE\"" => event country=- city=-
        transaction_location: "{\"country\": \"PE\"} x" => event country=-
        transaction_location: "{\"country\": \"\\ud800\"}" => event country=-
        transaction_location: "[{\"country\": \"PE\"}]" => event country=-
        transaction_location: "null" => event country=-
        transaction_location: "" => event country=-
        transaction_location: null => event country=-
        transaction_location: [1] => event country=-
        transaction_location: {"country":"PE","country":null} => event country=-
        """#

    static let forms = #"""
        value: {"before":null,"after":$row,"op":"c"} => event id=t1
        value: {"op":"c","after":$row,"before":null} => event id=t1
        value: {"after":$row,"op":"r"} => event id=t1
        value: {"op":"c","source":{"lsn":1},"after":$row,"ts_ms":1} => event id=t1
        value: {"before":$row,"after":$row,"op":"u"} => skipped update
        value: {"before":$row,"after":null,"op":"d"} => skipped delete
        value: {"before":null,"op":"d"} => skipped delete
        value: {"op":"t","after":null} => skipped truncate
        value: {"op":"m","after":$row} => skipped unknown_operation
        value: {"op":null,"after":$row} => skipped unknown_operation
        value: {"op":7,"after":$row} => skipped unknown_operation
        value: {"op":"c","after":null} => skipped null_value
        value: {"op":"c","before":null} => skipped null_value
        value: {"op":"c","after":5} => rejected malformed_json
        value: {"op":"c","after":[$row]} => rejected malformed_json
        value: {"op":"u","before":null,"after":"x"} => rejected malformed_json
        value: {"op":"c","after":{"id":"t1"}} => rejected missing_field:customer_id
        value: {"op":"c","id":"outer","after":$row} => event id=t1
        value: {"op":"c","after":$row,"after":null} => skipped null_value
        value: {"op":"u","after":null,"after":$row,"op":"c"} => event id=t1
        value: {"after":$row} => rejected missing_field:id
        value: {"op":"c"} => rejected missing_field:id
        value: {"op":"t","source":{"db":"bank"},"ts_ms":1} => skipped truncate
        value: {"op":"d","source":{"db":"bank"}} => skipped delete
        value: {"op":"m","source":{},"message":{}} => skipped unknown_operation
        # Under a schema.
        value: {"schema":{"type":"struct"},"payload":$row} => event id=t1
        value: {"payload":{"op":"c","after":$row},"schema":null} => event id=t1
        value: {"schema":null,"payload":{"op":"d","before":$row,"after":null}} => skipped delete
        value: {"schema":null,"payload":null} => skipped null_value
        value: {"schema":null,"payload":[]} => rejected malformed_json
        value: {"schema":null,"payload":"$"} => rejected malformed_json
        value: {"schema":null,"payload":{}} => rejected missing_field:id
        value: {"payload":$row} => rejected missing_field:id
        value: {"id":"outer","schema":1,"payload":{"customer_id":"c"}} => rejected missing_field:id
        # Flat rows.
        __deleted: "false" => event id=t1
        __deleted: false => event id=t1
        __deleted: null => event id=t1
        __deleted: "true" => skipped delete
        __deleted: true => skipped delete
        __op: "c" => event id=t1
        __op: "r"; __deleted: "false" => event id=t1
        __op: null => event id=t1
        __op: "u" => skipped update
        __op: "d" => skipped delete
        __op: "t" => skipped truncate
        __op: "m" => skipped unknown_operation
        __op: "" => skipped unknown_operation
        op: "u" => event id=t1
        value: {"op":"c","after":{"__deleted":"true","__op":"d"}} => rejected missing_field:id
        # No value.
        value:  => skipped null_value
        value: null => skipped null_value
        value: \x20null\x0a => skipped null_value
        value: \x20 => rejected malformed_json
        value: 5 => rejected malformed_json
        value: "text" => rejected malformed_json
        value: Struct{id=t1,amount=12} => rejected printed_struct
        value: "Struct{id=t1}" => rejected printed_struct
        value: [1,2] => rejected malformed_json
        value: true => rejected malformed_json
        """#

    static let repeatedAndEscapedKeys = #"""
        value: {"id":"first",$row} => rejected malformed_json
        value: {"id":"t0","customer_id":"c","amount":"1","amount":2,"created_at":0,"transaction_type":"x","status":"y","id":"t9"} => event id=t9 amount=200
        id: "t1"; \u0069d: "t5" => event id=t5
        \u0069d: "t5"; id: null => rejected missing_field:id
        am\u006funt: "7" => event amount=700
        id: "a\"b\\c\/d" => event id=a"b\c/d
        id: "\u00e9\ud83d\ude80\u20ac" => event id=é🚀€
        id: "é🚀€" => event id=é🚀€
        unknown: {"amount":"9","deep":[[{}],[]]} => event amount=1234
        amount: "\u0031\u0032.5" => event amount=1250
        created_at: "2025-03-10T10:00:00\u005a" => event at=1741600800000
        """#

    @Test(arguments: [required, optional, forms, repeatedAndEscapedKeys].flatMap { DecoderCase.table($0, plainRow: plainRow) })
    func decodes(_ line: DecoderCase) { line.check(.transaction(line.value)) }

    @Test func aTimeMayLieAheadOfTheRecordByTheLimitAndNoFurther() {
        let row = Array(#"{"id":"t","customer_id":"c","amount":1,"created_at":1741600800000,"transaction_type":"x","status":"y"}"#.utf8)
        func decode(recordTime: Int64) -> String {
            DecoderOutcome.transaction(row, timestamp: EventTime(milliseconds: recordTime), maxAhead: .minutes(10)).text
        }
        #expect(decode(recordTime: 1_741_600_800_000 - 600_000).hasPrefix("event"))
        #expect(decode(recordTime: 1_741_600_800_000 - 600_001) == "rejected bad_value:created_at")
        #expect(decode(recordTime: 1_741_600_800_000 + 86_400_000_000).hasPrefix("event"), "old records are no mistake")
    }
}
