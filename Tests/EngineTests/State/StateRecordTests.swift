import Testing

@testable import Engine

@Suite("A record's fields are encoded, decoded and declared from one place")
struct StateRecordTests {
    struct Everything: StateRecord {
        var flag = false
        var count: UInt64 = 0
        var difference: Int64 = 0
        var sum: Int128 = 0
        var time = EventTime(milliseconds: 0)
        var name = TextField()
        var names = TextSet()
        var counts = TextCounts()
        var recent = RecentNumbers()
        var sums = BucketSums()
        var seen = LastSeenTexts()

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("flag", &flag)
            visit.field("count", &count)
            visit.field("difference", &difference)
            visit.field("sum", &sum)
            visit.field("time", &time)
            visit.field("name", &name)
            visit.field("names", &names)
            visit.field("counts", &counts)
            visit.field("recent", &recent)
            visit.field("sums", &sums)
            visit.field("seen", &seen)
        }
    }

    private static func filled() -> Everything {
        var record = Everything()
        record.flag = true
        record.count = .max
        record.difference = .min
        record.sum = .min
        record.time = EventTime(milliseconds: -5)
        for (index, text) in ["pear", "", "apple", "pear"].enumerated() {
            text.withBytes { text in
                if index == 2 { record.name.set(text) }
                record.names.insert(text)
                record.counts.increment(text)
                record.seen.note(text, at: EventTime(milliseconds: Int64(index) * 100 - 5), keeping: 3)
            }
        }
        for number in [Int64.min, .max, 0, -1] { record.recent.append(number, keeping: 4) }
        for bucket in Int64(-2)...1 { record.sums.add(.max, to: bucket, keeping: 3) }
        record.sums.add(.max, to: 0, keeping: 3)
        return record
    }

    @Test func everyFieldComesBack() {
        var record = StateRecordTests.filled()
        var encoder = FieldEncoder()
        let bytes = encoder.encode(&record).copy()
        var back = Everything()
        #expect(bytes.withView { FieldDecoder.decode($0, into: &back) })
        #expect(back.flag && back.count == .max && back.difference == .min && back.sum == .min && back.time.milliseconds == -5)
        #expect(back.name.view == "apple" && back.names.count == 3)
        "apple".withBytes { #expect(back.names.contains($0)) }
        #expect(back.counts.mostFrequent?.text == "pear")
        #expect(back.recent.count == 4 && back.recent.last == -1 && back.recent.sum == -2)
        #expect(back.sums.total == 4 * Int128(Int64.max))
        #expect(back.seen.count == 3 && back.seen.count(after: EventTime(milliseconds: 195)) == 1)
        #expect(encoder.encode(&back).copy() == bytes)
        back.reset()
        var empty = Everything()
        #expect(encoder.encode(&back).copy() == encoder.encode(&empty).copy())
    }

    @Test func bytesThatAreCutOffOrTooLongAreDamaged() {
        var record = StateRecordTests.filled()
        var encoder = FieldEncoder()
        let bytes = encoder.encode(&record).copy()
        for length in 0..<bytes.count {
            var back = Everything()
            #expect(!Array(bytes[..<length]).withView { FieldDecoder.decode($0, into: &back) })
        }
        var back = Everything()
        #expect(!(bytes + [0]).withView { FieldDecoder.decode($0, into: &back) })
    }

    @Test func theSchemaNamesEveryFieldInOrder() {
        let schema = StateSchema(table: "t", version: 3, key: .windowAndKey, record: Everything.self)
        #expect(
            schema.fields.map { "\($0.name):\($0.type.rawValue)" } == [
                "flag:bool", "count:unsigned", "difference:signed", "sum:signed128", "time:time", "name:text", "names:textSet",
                "counts:textCounts",
                "recent:recentNumbers", "sums:bucketSums", "seen:lastSeenTexts",
            ])
    }

    @Test func tiesInCountsGoToTheSmallestName() {
        var counts = TextCounts()
        for name in ["b", "a", "b", "a", "c"] { name.withBytes { counts.increment($0) } }
        #expect(counts.mostFrequent?.text == "a")
        #expect(TextCounts().mostFrequent == nil)
    }

    @Test func aDeltaThatIsDamagedIsNoticed() throws {
        var clicks = ClickTask()
        try clicks.process(["home 1000", "shop 2000", "home 61000", "home 70000"])
        let bytes = try #require(clicks.cut().deltas.first).bytes
        #expect(bytes.withView { StateDelta.forEachChange(in: $0) { _ in } })
        for length in 0..<bytes.count {
            #expect(!Array(bytes[..<length]).withView { StateDelta.forEachChange(in: $0) { _ in } })
        }
        #expect(!([2] + bytes.dropFirst()).withView { StateDelta.forEachChange(in: $0) { _ in } }, "an unknown format")
        #expect(!(bytes + [0]).withView { StateDelta.forEachChange(in: $0) { _ in } })
    }
}
