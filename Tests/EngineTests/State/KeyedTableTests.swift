import Simulation
import Testing

@testable import Engine

@Suite("A table in memory and the file below it say together what a dictionary says")
struct KeyedTableTests {
    /// A table with the file that it is evicted to: keyed rows, and deltas on top that are not compacted yet.
    private struct Pair {
        let table = KeyedTable()
        var keyed: [[UInt8]: [UInt8]] = [:]
        var deltas: [[[UInt8]: [UInt8]?]] = []
        var compacted = 0
        var coldReads = 0

        mutating func find(_ key: [UInt8]) -> [UInt8]? {
            let found: KeyedTable.Lookup = key.withView { table.lookup($0, hash: table.hash(of: $0)) }
            switch found {
            case .record(let record, _): return record.copy()
            case .absent: return nil
            case .unknown:
                coldReads += 1
                return keyed[key]
            }
        }

        func store(_ key: [UInt8], _ record: [UInt8]) {
            key.withView { key in
                record.withView { record in
                    let hash = table.hash(of: key)
                    if case .record(_, let entry) = table.lookup(key, hash: hash) {
                        table.replace(entry, with: record)
                    } else {
                        table.store(record, for: key, hash: hash)
                    }
                }
            }
        }

        func remove(_ key: [UInt8]) { key.withView { table.remove($0, hash: table.hash(of: $0)) } }

        mutating func cut() {
            var delta: [[UInt8]: [UInt8]?] = [:]
            table.takeChanges(removed: { delta[$0.copy()] = .some(nil) }, stored: { delta[$0.copy()] = $1.copy() })
            deltas.append(delta)
        }

        /// Compacts the next `count` deltas, and says so to the table.
        mutating func compact(_ count: Int) {
            for delta in deltas[compacted...].prefix(count) {
                for (key, record) in delta { keyed[key] = record }
                compacted += 1
            }
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func randomOperationsMatchADictionary(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var pair = Pair()
        var model: [[UInt8]: [UInt8]] = [:]
        let keys = (0..<Int.random(in: 5...400, using: &random)).map { Array("key \($0)".utf8) + Array(repeating: 1, count: $0 % 40) }
        for _ in 0..<4_000 {
            let key = keys.randomElement(using: &random)!
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<8:
                let record = (0..<Int.random(in: 0...120, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
                pair.store(key, record)
                model[key] = record
            case 8..<11:
                pair.remove(key)
                model[key] = nil
            case 11..<17: #expect(pair.find(key) == model[key])
            case 17: pair.cut()
            case 18:
                pair.compact(Int.random(in: 0...3, using: &random))
                pair.table.forgetTombstones(compactedThrough: UInt32(pair.compacted))
            default: _ = pair.table.evict(Int.random(in: 0...2_000, using: &random), compactedThrough: UInt32(pair.compacted))
            }
        }
        for key in keys { #expect(pair.find(key) == model[key]) }
        pair.cut()
        pair.compact(.max)
        #expect(pair.keyed == model, "the file holds the same when everything is compacted")
        #expect(pair.coldReads > 0)
        var seen: Set<[UInt8]> = []
        pair.table.forEach { key, record in
            #expect(seen.insert(key.copy()).inserted)
            #expect(model[key.copy()] == record.copy())
        }
        #expect(pair.table.count == seen.count)
    }

    @Test func nothingIsEvictedThatTheFileHasNotCompacted() {
        var pair = Pair()
        pair.store([1], [10])
        pair.cut()
        pair.store([2], [20])
        // Twice round: the first round only takes the marks of use away.
        _ = pair.table.evict(.max, compactedThrough: 0)
        _ = pair.table.evict(.max, compactedThrough: 0)
        #expect(pair.table.count == 2 && pair.table.isComplete)
        pair.compact(1)
        #expect(pair.table.evict(.max, compactedThrough: 1) > 0)
        #expect(pair.table.count == 1 && !pair.table.isComplete)
        #expect(pair.find([1]) == [10] && pair.find([2]) == [20] && pair.coldReads == 1)
    }

    @Test func whileNothingWasEvictedAMissCostsNoRead() {
        var pair = Pair()
        #expect(pair.find([1]) == nil)
        pair.store([1], [1])
        pair.remove([1])
        #expect(pair.find([1]) == nil && pair.coldReads == 0)
    }

    @Test func aRemovedKeyStaysRemovedUntilTheFileForgotIt() {
        var pair = Pair()
        pair.store([1], [1])
        pair.store([2], [2])
        pair.cut()
        pair.compact(1)
        while pair.table.evict(.max, compactedThrough: 1) > 0 {}
        pair.remove([1])
        #expect(pair.find([1]) == nil, "the file still holds it")
        pair.cut()
        pair.table.forgetTombstones(compactedThrough: 1)
        #expect(pair.find([1]) == nil, "the removal is not compacted")
        pair.compact(1)
        pair.table.forgetTombstones(compactedThrough: 2)
        #expect(pair.find([1]) == nil && pair.find([2]) == [2])
    }

    @Test func onlyWhatChangedSinceTheLastCutIsCutAndOnce() {
        var pair = Pair()
        pair.store([1], [1])
        pair.store([1], [2])
        pair.store([2], [2])
        pair.cut()
        #expect(pair.deltas == [[[1]: [2], [2]: [2]]])
        #expect(!pair.table.hasChanges)
        pair.remove([2])
        pair.cut()
        #expect(pair.deltas.last == [[2]: nil])
    }

    @Test func memoryIsGivenBackForOthersToUse() {
        let pair = Pair()
        for round in 0..<50 {
            for key in 0..<100 { pair.store([UInt8(key)], Array(repeating: 0, count: 1 + (round * 37 + key) % 500)) }
        }
        // 100 records of at most 500 bytes, in size classes that waste a quarter, and the entries.
        #expect(pair.table.memoryBytes < 100 * 625 + 64 * 1024)
    }
}
