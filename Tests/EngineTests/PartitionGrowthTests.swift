import Engine
import TestSupport
import Testing

@Suite("Where keys go when a topic grows")
struct PartitionGrowthTests {
    /// A key is never met outside its family, and every partition of the family does get keys of every other.
    @Test(arguments: [(2, 3), (2, 4), (4, 6), (6, 9), (5, 12), (1, 4), (8, 12)])
    func targetsAndSourcesAreWhereKeysGo(counts: (before: Int, after: Int)) {
        let growth = PartitionGrowth(from: counts.before, to: counts.after)
        var (went, came): ([Int: Set<Int>], [Int: Set<Int>]) = ([:], [:])
        for number in 0..<8_000 {
            "key \(number)".withBytes { key in
                let (from, to) = (murmur2Partition(of: key, partitions: counts.before), murmur2Partition(of: key, partitions: counts.after))
                went[from, default: []].insert(to)
                came[to, default: []].insert(from)
            }
        }
        for partition in 0..<counts.before { #expect(went[partition] == Set(growth.targets(of: partition))) }
        for partition in 0..<counts.after { #expect(came[partition] == Set(growth.sources(of: partition))) }
        let stays = (0..<counts.before).allSatisfy { went[$0]!.filter { $0 < counts.before } == [$0] }
        #expect(growth.fillsNewPartitionsOnly == stays)
    }

    @Test func aListSaysNothingOfFamilies() {
        let growth = PartitionGrowth(from: 2, to: 4, isByHash: false)
        #expect(growth.targets(of: 1) == [0, 1, 2, 3] && growth.sources(of: 3) == [0, 1] && !growth.fillsNewPartitionsOnly)
    }

    @Test func aTemplateIsTextAroundTheKeyOnce() throws {
        #expect(RecordKeyTemplate("id") == nil && RecordKeyTemplate("{}{}") == nil && RecordKeyTemplate("{") == nil)
        let template = try #require(RecordKeyTemplate(#"{"customer_id":"{}"}"#))
        for number in 0..<50 {
            let whole = #"{"customer_id":"c-\#(number)"}"#.withBytes { murmur2Partition(of: $0, partitions: 7) }
            #expect("c-\(number)".withBytes { template.partition(of: $0, among: 7) } == whole)
            #expect(
                "c-\(number)".withBytes { RecordKeyTemplate.same.partition(of: $0, among: 7) == murmur2Partition(of: $0, partitions: 7) })
        }
    }
}
