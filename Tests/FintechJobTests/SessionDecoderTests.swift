import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Sessions are decoded, and what can't be used says why")
struct SessionDecoderTests {
    static let plainRow = [("id", #""s1""#), ("customer_id", #""c1""#), ("started_at", #""2025-03-10T10:00:00.000Z""#)]

    static let cases = #"""
        id: "s1" => event id=s1 customer=c1 started=1741600800000 ended=- session=- channel=- device=- actions=0
        session_id: "x"; channel: "web"; device_type: "tablet"; actions_count: 7 => event session=x channel=web device=tablet actions=7
        session_id: []; channel: ""; device_type: "<<d*257>>" => event session=- channel=- device=-
        id: null => rejected missing_field:id
        customer_id: "" => rejected bad_value:customer_id
        started_at: -; ended_at: "x" => rejected missing_field:started_at
        started_at: "x"; ended_at: "x" => rejected bad_value:started_at
        ended_at: "x" => rejected bad_value:ended_at
        ended_at: {} => rejected bad_value:ended_at
        ended_at: null => event ended=-
        ended_at: 1741600860000 => event ended=1741600860000
        ended_at: "2025-03-10T09:59:59Z" => event ended=1741600799000
        actions_count: -1 => event actions=0
        actions_count: "5" => event actions=5
        actions_count: 5.0 => event actions=0
        actions_count: 5e0 => event actions=0
        actions_count: null => event actions=0
        actions_count: 18446744073709551615 => event actions=18446744073709551615
        actions_count: 18446744073709551616 => event actions=0
        __op: "u" => skipped update
        value: {"op":"r","after":$row} => event id=s1
        value: null => skipped null_value
        """#

    @Test(arguments: DecoderCase.table(cases, plainRow: plainRow))
    func decodes(_ line: DecoderCase) { line.check(.session(line.value)) }

    @Test func anEndTooFarAheadOfTheRecordIsABadValue() {
        let row = Array(#"{"id":"s","customer_id":"c","started_at":1000,"ended_at":3600002}"#.utf8)
        #expect(DecoderOutcome.session(row, timestamp: EventTime(milliseconds: 1)).text == "rejected bad_value:ended_at")
        #expect(DecoderOutcome.session(row, timestamp: EventTime(milliseconds: 2)).text.hasPrefix("event"))
    }
}
