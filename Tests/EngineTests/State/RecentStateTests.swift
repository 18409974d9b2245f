import Testing

@testable import Engine

@Suite("What a record keeps of late stays within its limits")
struct RecentStateTests {
    @Test func theOldestNumbersAreForgotten() {
        var recent = RecentNumbers()
        for number in 1...5 { recent.append(Int64(number), keeping: 3) }
        #expect(recent.count == 3 && recent.sum == 12 && recent.last == 5)
        #expect(recent.count(above: 3) == 2)
        recent.append(9, keeping: 1)
        #expect(recent.count == 1 && recent.sum == 9)
    }

    @Test func bucketsBeforeTheLatestOnesAreForgottenAndTakeNothing() {
        var sums = BucketSums()
        sums.add(1, to: 10, keeping: 24)
        sums.add(2, to: 33, keeping: 24)
        #expect(sums.total == 3, "the first of 24")
        sums.add(4, to: 9, keeping: 24)
        #expect(sums.total == 3, "too old")
        sums.add(8, to: 34, keeping: 24)
        #expect(sums.total == 10, "the first is gone")
        sums.add(-16, to: 11, keeping: 24)
        #expect(sums.total == -6, "late, but one of them")
        sums.add(32, to: 1000, keeping: 24)
        #expect(sums.total == 32)
    }

    @Test func aNameIsLastSeenAtItsGreatestTime() {
        var seen = LastSeenTexts()
        for (name, time) in [("a", 5), ("b", 3), ("a", 1), ("b", 9)] as [(String, Int64)] { note(name, time, in: &seen, keeping: 2) }
        #expect(seen.count == 2)
        #expect((0...9).map { seen.count(after: EventTime(milliseconds: $0)) } == [2, 2, 2, 2, 2, 1, 1, 1, 1, 0])
    }

    /// Checked by what is known afterwards: a name that is there is not counted again.
    @Test func theNameSeenLongestAgoIsForgottenOfATieTheSmallest() {
        var seen = LastSeenTexts()
        for (name, time) in [("d", 2), ("bb", 1), ("b", 1), ("c", 1)] as [(String, Int64)] { note(name, time, in: &seen, keeping: 3) }
        #expect(names(["b", "bb", "c", "d"], in: seen) == ["bb", "c", "d"])
        note("a", 0, in: &seen, keeping: 3)
        #expect(names(["a", "bb", "c", "d"], in: seen) == ["bb", "c", "d"], "what came last goes first when it is the oldest")
        note("e", 1, in: &seen, keeping: 3)
        #expect(names(["bb", "c", "d", "e"], in: seen) == ["c", "d", "e"])
    }

    private func note(_ name: String, _ time: Int64, in seen: inout LastSeenTexts, keeping limit: Int) {
        name.withBytes { seen.note($0, at: EventTime(milliseconds: time), keeping: limit) }
    }

    private func names(_ names: [String], in seen: LastSeenTexts) -> [String] {
        names.filter { name in
            var copy = seen
            note(name, 100, in: &copy, keeping: 100)
            return copy.count == seen.count
        }
    }
}
