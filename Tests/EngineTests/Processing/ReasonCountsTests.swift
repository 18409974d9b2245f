import Engine
import Testing

@Suite("Reasons are counted with the place of the last, of one partition or of several")
struct ReasonCountsTests {
    private func counts(_ offsets: [Int64]) -> ReasonCounts {
        var counts = ReasonCounts()
        for offset in offsets { counts.add(Rejection("bad_value", field: "amount"), at: offset) }
        return counts
    }

    @Test func theFirstOfItsReasonAndFieldIsTold() {
        var counts = ReasonCounts()
        let met: [(field: StaticString?, offset: Int64, partition: Int)] = [
            ("amount", 1, 4), ("status", 2, 4), (nil, 3, 4), ("amount", 9, 5),
        ]
        let areFirst = met.map { counts.add(Rejection("bad_value", field: $0.field), at: $0.offset, of: $0.partition) }
        #expect(areFirst == [true, true, true, false])
        #expect(counts.count(ofName: "bad_value") == 4 && counts.count(ofName: "bad") == 0)
        let entry = counts["bad_value:amount"]
        #expect(entry?.count == 2 && entry?.partition == 5 && entry?.offset == 9 && entry?.name == "bad_value" && entry?.field == "amount")
        #expect(counts["bad_value"]?.field == nil)
    }

    @Test func thoseOfPartitionsAreAddedUp() {
        var all = ReasonCounts()
        all.add(counts([1, 2, 3]), of: 0)
        all.add(counts([7]), of: 1)
        all.add(ReasonCounts(), of: 2)
        #expect(all.entries.map { "\($0.count) \($0.partition ?? -1)/\($0.offset ?? -1)" } == ["4 1/7"])
        var again = ReasonCounts()
        again.add(all)
        #expect(again == all, "the place stays")
    }
}
