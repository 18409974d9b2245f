import Engine
import FintechJob
import TestSupport
import Testing

@Suite("What the newest records tell of their form, keys and clocks")
struct InputSignTests {
    private func signs(_ records: [TestRecord], _ change: (inout FintechSettings) -> Void = { _ in }) -> InputSigns {
        var settings = FintechSettings()
        change(&settings)
        let reader = FintechJob.makeSignReader(of: "fintech.public.transactions", settings: settings)
        withRecords(records) { for record in $0 { reader.note(record, in: 3) } }
        return reader.signs
    }

    private func form(of value: [UInt8]) -> String? { signs([TestRecord(value: value)]).foreignForms.keys.first }

    @Test func foreignFormsAreKnownByTheirFirstBytes() {
        #expect(form(of: [0, 0, 0, 1, 2, 0x48, 0x61, 0x62]) == "Avro with a schema registry, in Confluent's framing, schema 258")
        #expect(form(of: [0, 0, 0, 0, 9, 0, 0x0A, 2, 0x61, 0x62]) == "Protobuf with a schema registry, in Confluent's framing, schema 9")
        #expect(form(of: [0, 0, 0, 0, 9] + Array("{\"id\":1}".utf8)) == "JSON with a schema registry, in Confluent's framing, schema 9")
        #expect(
            form(of: [0, 0, 0, 0, 0, 0, 0, 0, 9, 0x48, 0x61])
                == "Avro with a schema registry, in Apicurio's framing with ids of eight bytes")
        #expect(form(of: [0x0A, 2, 0x61, 0x62, 0x10, 5]) == "Protobuf")
        #expect(form(of: Array(#"{"specversion":"1.0","id":"x","data":{"payload":{}}}"#.utf8)) == "a CloudEvent in its structured form")
        for plain in ["{}", " {\"a\":1}", "[1]", "Struct{id=1}", "\u{1}", "text", "", "\n{\"op\":\"c\"}"] {
            #expect(form(of: Array(plain.utf8)) == nil, "\(plain)")
        }
        #expect(signs([TestRecord("{}", headers: ["ce_specversion": "1.0"])]).foreignForms.keys.first == "a CloudEvent in its binary form")
    }

    @Test func keysAreTheCustomersWhenTheyNameNothingElse() {
        let value = #"{"op":"c","after":{"id":"t","customer_id":"c"}}"#
        func others(_ key: String?) -> (compared: Int, others: Int) {
            let signs = signs([TestRecord(key: key, value)])
            return (signs.comparedKeys, signs.keysOfOthers.count)
        }
        for key in ["c", "\"c\"", #"{"customer_id":"c"}"#, #"{"schema":{},"payload":{"customer_id":"c"}}"#] {
            #expect(others(key) == (1, 0), "\(key)")
        }
        for key in ["t", #"{"id":"t"}"#, #"{"id":"t","customer_id":"c"}"#, #"{"schema":{},"payload":{"id":"t"}}"#] {
            #expect(others(key) == (1, 1), "\(key)")
        }
        #expect(others(nil) == (0, 0) && others("Struct{id=t}") == (0, 0))
        #expect(signs([TestRecord(key: "t", value)]) { $0.keyedBy = .id }.comparedKeys == 0)
        let printed = signs([TestRecord(key: "Struct{id=t}", value)])
        #expect(printed.keys == 1 && printed.printedKeys.count == 1 && printed.printedKeys.partition == 3)
    }

    /// Inserts a minute apart, each with its own time so many milliseconds ahead of the log's.
    private func inserts(ahead: [Int64], op: String = "c") -> [TestRecord] {
        ahead.enumerated().map { index, ahead in
            let time: Int64 = 1_788_220_800_000 + Int64(index) * 60_000
            return TestRecord("{\"op\":\"\(op)\",\"after\":{\"created_at\":\(time + ahead)}}", timestamp: EventTime(milliseconds: time))
        }
    }

    @Test func aZoneIsSeenOnlyWhereAllInsertsAgree() {
        let hour: Int64 = 3_600_000
        #expect(signs(inserts(ahead: [2 * hour, 2 * hour - 800, 2 * hour - 90_000, 2 * hour - 1, 2 * hour])).zone?.minutes == 120)
        #expect(signs(inserts(ahead: Array(repeating: -5 * hour - 700, count: 5))).zone?.minutes == -300)
        #expect(signs(inserts(ahead: Array(repeating: 5 * hour + hour / 2 - 700, count: 5))).zone?.minutes == 330)
        #expect(signs(inserts(ahead: Array(repeating: -700, count: 9))).zone == nil)
        #expect(signs(inserts(ahead: Array(repeating: 2 * hour, count: 4))).zone == nil, "so few say nothing")
        #expect(signs(inserts(ahead: Array(repeating: 2 * hour, count: 9) + [0])).zone == nil)
        #expect(signs(inserts(ahead: Array(repeating: 2 * hour, count: 9) + [hour / 4])).zone == nil)
        #expect(signs(inserts(ahead: Array(repeating: 20 * hour, count: 9))).zone == nil, "no zone is so far")
        #expect(signs(inserts(ahead: Array(repeating: 2 * hour, count: 9), op: "r")).zone == nil, "a snapshot's rows are older")
    }
}
