import Engine
import SQLiteState
import TestSupport
import Testing

@Suite("A state reader tells records by their schema alone")
struct StateValueTests {
    private struct Everything: StateRecord {
        var flag = true
        var count: UInt64 = .max
        var balance: Int64 = .min
        var sum: Int128 = -170_141_183_460_469_231_731_687_303_715_884_105_728
        var at = EventTime(milliseconds: 1_000)
        var never = EventTime.distantPast
        var name = TextField()
        var names = TextSet()
        var counts = TextCounts()
        var recent = RecentNumbers()
        var sums = BucketSums()
        var seen = LastSeenTexts()

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("flag", &flag)
            visit.field("count", &count)
            visit.field("balance", &balance)
            visit.field("sum", &sum)
            visit.field("at", &at)
            visit.field("never", &never)
            visit.field("name", &name)
            visit.field("names", &names)
            visit.field("counts", &counts)
            visit.field("recent", &recent)
            visit.field("sums", &sums)
            visit.field("seen", &seen)
        }
    }

    private static let schema = StateSchema(table: "keyed", version: 1, key: .key, record: Everything.self)

    private func written(_ record: Everything) throws -> (TemporaryDirectory, [UInt8]) {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology(schemas: [StateValueTests.schema]))
        var encoder = FieldEncoder()
        var copy = record
        let bytes = encoder.encode(&copy).copy()
        let changes = PlainChanges(stored: [(Array("key".utf8), bytes)])
        try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
        return (directory, bytes)
    }

    @Test func everyTypeComesBackAsItWasStored() throws {
        var record = Everything()
        func with(_ text: String, _ body: (ByteView) -> Void) { Array(text.utf8).withUnsafeBytes { body(ByteView($0)) } }
        with("née \"x\"") { record.name.set($0) }
        for name in ["b", "a"] { with(name) { record.names.insert($0) } }
        for name in ["x", "y", "x"] { with(name) { record.counts.increment($0) } }
        for number: Int64 in [5, -3, .max] { record.recent.append(number, keeping: 3) }
        for (hour, sum): (Int64, Int64) in [(10, 7), (12, -1), (11, 3)] { record.sums.add(sum, to: hour, keeping: 24) }
        with("DE") { record.seen.note($0, at: EventTime(milliseconds: 500), keeping: 3) }
        with("FR") { record.seen.note($0, at: EventTime(milliseconds: -20), keeping: 3) }
        let (directory, _) = try written(record)
        let reader = try HeldState(path: directory.path) { try TemporaryDirectory("scratch").path }.reader
        let table = try reader.table(named: "keyed")
        let found = try reader.lookup(Array("key".utf8), in: table)
        #expect(found.count == 1)
        let values = try found[0].withRow { try $0.values() }
        #expect(
            values.map(\.json) == [
                "true", "18446744073709551615", "-9223372036854775808", "-170141183460469231731687303715884105728",
                #""1970-01-01T00:00:01.000Z""#, #""distantPast""#, #""née \"x\"""#, #"["b","a"]"#, #"{"x":2,"y":1}"#,
                "[5,-3,9223372036854775807]",
                #"{"10":7,"12":-1,"11":3}"#, #"{"DE":"1970-01-01T00:00:00.500Z","FR":"1969-12-31T23:59:59.980Z"}"#,
            ])
        let sql = try StateQuery(reader, "SELECT count, balance, sum, typeof(sum), names FROM \"first.keyed\" WHERE key = 'key'")
        #expect(
            try sql.next() == [
                .text("18446744073709551615"), .integer(.min), .text("-170141183460469231731687303715884105728"), .text("text"),
                .text(#"["b","a"]"#),
            ])
        #expect(try sql.next() == nil)
    }

    /// A record whose bytes end anywhere but at their end is damage, and never read as something else.
    @Test func aRecordCutOffAnywhereIsDamaged() throws {
        let (_, bytes) = try written(Everything())
        for length in 0..<bytes.count {
            let directory = try TemporaryDirectory()
            let store = try SQLiteStateStore(directory: directory.path)
            _ = try store.open(PlainJob.topology(schemas: [StateValueTests.schema]))
            let changes = PlainChanges(stored: [(Array("key".utf8), Array(bytes[..<length]))])
            try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
            try withExtendedLifetime(store) {
                // The store has the directory; a reader of its own looks at a copy as a kill would leave it.
                let reader = try InspectionCopy(of: directory).reader()
                let scan = try reader.scan(try reader.table(named: "keyed"))
                let row = try #require(try scan.next())
                #expect(throws: StateError.self) { try row.values() }
            }
        }
    }
}
