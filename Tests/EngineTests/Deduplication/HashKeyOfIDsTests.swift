import Simulation
import TestSupport
import Testing

@testable import Engine

@Suite("Ids are told apart by who does not know the key, and what was remembered without one is known until its horizon is over")
struct HashKeyOfIDsTests {
    private static let hour: Int64 = 3_600_000

    private func make(_ key: HashKey = .ofTests) -> DeduplicationIDs {
        DeduplicationIDs(name: "ids", version: 1, horizon: .hours(2), bucket: .hours(1), key: key)
    }

    private func note(_ ids: DeduplicationIDs, _ id: String, at time: Int64 = 0, watermark: Int64 = .min) throws -> DeduplicationIDs.Verdict
    {
        try id.withBytes { try ids.note($0, at: EventTime(milliseconds: time), watermark: EventTime(milliseconds: watermark)) }
    }

    @Test func idsThatCollideWithoutAKeyAreToldApart() throws {
        let (one, other) = UnkeyedRecords.colliding()
        #expect(one != other && one.withView { murmur3($0) } == other.withView { murmur3($0) }, "a build without a key took them for one")
        let ids = make()
        func note(_ id: [UInt8]) throws -> DeduplicationIDs.Verdict {
            try id.withView { try ids.note($0, at: EventTime(milliseconds: 0), watermark: .distantPast) }
        }
        #expect(try note(one) == .new)
        #expect(try note(other) == .new)
        #expect(try note(one) == .repeated)
        #expect(try note(other) == .repeated)
    }

    @Test func whatIsStoredDependsOnTheKey() throws {
        func stored(_ key: HashKey) throws -> [UInt8] {
            let ids = make(key)
            _ = try note(ids, "a")
            return try #require(ids.cut()).bytes
        }
        #expect(try stored(.ofTests) == stored(.ofTests))
        #expect(try stored(.ofTests) != stored(HashKey(first: 1, second: 2)))
    }

    @Test func bothAreAskedForUntilTheLastUnkeyedBucketIsOver() throws {
        let hour = HashKeyOfIDsTests.hour
        let ids = make()
        #expect(UnkeyedRecords.apply(UnkeyedRecords.delta((0..<40).map { "early \($0)" }, bucket: 0), to: ids))
        #expect(UnkeyedRecords.apply(UnkeyedRecords.delta(["late"], bucket: hour), to: ids))
        #expect(ids.asksForUnkeyed)
        #expect(try (0..<40).allSatisfy { try note(ids, "early \($0)") == .repeated } && note(ids, "late", at: hour) == .repeated)
        #expect(try note(ids, "new", at: 2 * hour) == .new && note(ids, "new", at: 2 * hour) == .repeated)
        let memory = ids.memoryBytes

        ids.close(through: EventTime(milliseconds: 3 * hour))
        #expect(ids.asksForUnkeyed, "the second bucket's are remembered still")
        #expect(
            try note(ids, "early 7", at: 3 * hour, watermark: 3 * hour) == .new
                && note(ids, "late", at: 3 * hour, watermark: 3 * hour) == .repeated)
        ids.close(through: EventTime(milliseconds: 4 * hour))
        #expect(!ids.asksForUnkeyed)
        #expect(ids.memoryBytes < memory, "their table is gone")
        #expect(try note(ids, "late", at: 4 * hour, watermark: 4 * hour) == .new, "forgotten, as ever")
    }

    /// Any number of ids of both kinds, any number of starts, epochs that end anywhere, and all of it compacted or not.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func nothingCountsTwiceOrIsLostWhileBothAreThere(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var compacted: [[UInt8]: [UInt8]] = [:]
        var deltas: [StateDelta] = []
        func compact() {
            for delta in deltas {
                _ = delta.bytes.withView { bytes in
                    StateDelta.forEachChange(in: bytes) {
                        if case .stored(let key, let record) = $0 { compacted[key.copy()] = record.copy() }
                    }
                }
            }
            deltas = []
        }
        func restarted() -> DeduplicationIDs {
            let ids = make()
            if random.percent(50) { compact() }
            for (key, record) in compacted.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                #expect(key.withView { key in record.withView { ids.restore(.stored(key: key, record: $0), isCompacted: true) } })
            }
            for delta in deltas { #expect(UnkeyedRecords.apply(delta, to: ids)) }
            return ids
        }
        var known: Set<String> = []
        for bucket in 0..<3 as Range<Int64> {
            // A build without a key wrote its last record again with each epoch.
            let old = (0..<random.number(in: 0...100)).map { "old \(bucket) \($0)" }
            for end in [old.count / 3, old.count] {
                deltas.append(UnkeyedRecords.delta(Array(old[..<end]), bucket: bucket * HashKeyOfIDsTests.hour))
            }
            known.formUnion(old)
        }
        var ids = restarted()
        for _ in 0..<600 {
            let bucket = Int64(random.number(in: 0...2))
            let id = random.percent(40) ? "old \(bucket) \(random.number(in: 0...99))" : "new \(random.number(in: 0...300))"
            #expect(try note(ids, id, at: bucket * HashKeyOfIDsTests.hour) == (known.insert(id).inserted ? .new : .repeated), "\(id)")
            if random.percent(5), let delta = ids.cut() { deltas.append(delta) }
            guard random.percent(2) else { continue }
            if let delta = ids.cut() { deltas.append(delta) }
            ids = restarted()
        }
        if let delta = ids.cut() { deltas.append(delta) }
        ids = restarted()
        #expect(try known.allSatisfy { try note(ids, $0) == .repeated })
        #expect(try note(ids, "never seen") == .new)
    }

    /// Of an id that came again after its bucket was forgotten, a state without compacts has both records.
    @Test func anIDOfTwoBucketsIsRememberedByTheLater() throws {
        let hour = HashKeyOfIDsTests.hour
        var ids = make()
        #expect(try note(ids, "a") == .new)
        let first = try #require(ids.cut())
        ids.close(through: EventTime(milliseconds: 3 * hour))
        #expect(try note(ids, "a", at: 4 * hour, watermark: 3 * hour) == .new)
        let second = try #require(ids.cut())
        ids = make()
        for delta in [first, second] { #expect(UnkeyedRecords.apply(delta, to: ids)) }
        #expect(try note(ids, "a", at: 4 * hour, watermark: 5 * hour) == .repeated)
    }

    @Test func damagedRecordsOfBothKindsAreRefused() {
        func record(_ field: [UInt8]) -> [UInt8] { [UInt8(field.count)] + field }
        func isTaken(_ number: [UInt8], _ record: [UInt8]) -> Bool {
            let key = [0x80] + [UInt8](repeating: 0, count: 7) + number
            return key.withView { key in record.withView { make().restore(.stored(key: key, record: $0), isCompacted: true) } }
        }
        let hash = [UInt8](repeating: 5, count: 16)
        #expect(isTaken([0, 0, 0, 9], record(hash)) && isTaken([0, 0, 0, 9], record([1] + hash)) && isTaken([0, 0, 0, 9], record([1])))
        #expect(!isTaken([0, 0, 0, 9], record([2] + hash)), "an unknown mark")
        #expect(!isTaken([0, 0, 0, 9], record([1, 1] + hash)))
        for number in [[0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [1, 0, 0, 0]] as [[UInt8]] {
            #expect(!isTaken(number, record(hash)) && !isTaken(number, record([1] + hash)), "no state has so many")
        }
    }
}
