import TestSupport
import Testing

@testable import Engine

@Suite("An id is known again for the whole horizon, also after restarts, and what can't be known is said")
struct DeduplicationIDsTests {
    private static let hour: Int64 = 3_600_000

    private func make(horizon: EventSpan = .hours(2), limit: Int = DeduplicationIDs.limit) -> DeduplicationIDs {
        DeduplicationIDs(name: "ids", version: 1, horizon: horizon, bucket: .hours(1), key: .ofTests, limit: limit)
    }

    private func note(_ ids: DeduplicationIDs, _ id: String, at time: Int64, watermark: Int64 = .min) throws -> DeduplicationIDs.Verdict {
        try id.withBytes { try ids.note($0, at: EventTime(milliseconds: time), watermark: EventTime(milliseconds: watermark)) }
    }

    private func apply(_ delta: StateDelta?, to ids: DeduplicationIDs) throws {
        var isTaken = true
        let isComplete = try #require(delta).bytes.withView { bytes in
            StateDelta.forEachChange(in: bytes) { isTaken = ids.restore($0, isCompacted: false) && isTaken }
        }
        #expect(isComplete && isTaken)
    }

    @Test func anIDCountsOnceWhateverItsTime() throws {
        let ids = make()
        #expect(try note(ids, "a", at: 0) == .new)
        #expect(try note(ids, "a", at: 0) == .repeated)
        #expect(try note(ids, "a", at: DeduplicationIDsTests.hour * 5) == .repeated, "its row was changed since")
        #expect(try note(ids, "", at: 0) == .new && note(ids, "", at: 1) == .repeated)
    }

    @Test func theHorizonIsCountedFromTheEndOfTheHour() throws {
        let hour = DeduplicationIDsTests.hour
        let ids = make()
        #expect(try note(ids, "a", at: 5) == .new)
        #expect(try note(ids, "a", at: 5, watermark: hour * 3 - 1) == .repeated)
        #expect(try note(ids, "b", at: hour - 1, watermark: hour * 3 - 1) == .new)
        #expect(try note(ids, "a", at: 5, watermark: hour * 3) == .tooOld)
        #expect(try note(ids, "never seen", at: hour - 1, watermark: hour * 3) == .tooOld)
        #expect(try note(ids, "a", at: hour, watermark: hour * 3) == .new, "forgotten, and of a later hour")
    }

    @Test func itIsKnownOverRestartsAndForgottenAfterwards() throws {
        var ids = make()
        var deltas: [StateDelta] = []
        // More than fill a record, in epochs that end anywhere in one.
        for number in 0..<500 {
            #expect(try note(ids, "id \(number)", at: Int64(number % 3) * DeduplicationIDsTests.hour) == .new)
            if number % 7 == 0, let delta = ids.cut() { deltas.append(delta) }
            guard number % 100 == 99 else { continue }
            if let delta = ids.cut() { deltas.append(delta) }
            ids = make()
            for delta in deltas { try apply(delta, to: ids) }
            #expect(ids.cut() == nil, "nothing has changed")
        }
        #expect(try (0..<500).allSatisfy { try note(ids, "id \($0)", at: 0) == .repeated })
        ids.close(through: EventTime(milliseconds: DeduplicationIDsTests.hour * 3))
        deltas.append(try #require(ids.cut()))
        ids = make()
        for delta in deltas { try apply(delta, to: ids) }
        let known = try (0..<500).map {
            try note(ids, "id \($0)", at: Int64($0 % 3) * DeduplicationIDsTests.hour, watermark: DeduplicationIDsTests.hour * 3)
        }
        #expect(known == (0..<500).map { $0 % 3 == 0 ? .tooOld : .repeated })
    }

    /// What a store keeps: the last word on each key, without the keys of windows that were closed.
    @Test func compactedRecordsSayTheSame() throws {
        let ids = make()
        var compacted: [[UInt8]: [UInt8]] = [:]
        for number in 0..<300 {
            _ = try note(ids, "id \(number)", at: 0)
            guard number % 11 == 0, let delta = ids.cut() else { continue }
            _ = delta.bytes.withView { bytes in
                StateDelta.forEachChange(in: bytes) { if case .stored(let key, let record) = $0 { compacted[key.copy()] = record.copy() } }
            }
        }
        #expect(compacted.count == 300 / 32 + 1, "a record for 32 ids")
        let restored = make()
        for (key, record) in compacted.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            #expect(key.withView { key in record.withView { restored.restore(.stored(key: key, record: $0), isCompacted: true) } })
        }
        #expect(try (0...297).allSatisfy { try note(restored, "id \($0)", at: 0) == .repeated })
        #expect(try note(restored, "id 298", at: 0) == .new)
    }

    @Test func manyIDsAreToldApartInLittleMemory() throws {
        let ids = make(horizon: .hours(3))
        var wrong = 0
        // A day of 400,000 ids, three or four hours of which are remembered.
        for number in 0..<400_000 {
            let time = Int64(number) * 216
            if try note(ids, "tx-\(number)", at: time, watermark: time - 5000) != .new { wrong += 1 }
            if number >= 1000, try note(ids, "tx-\(number - 1000)", at: time - 216_000, watermark: time - 5000) != .repeated { wrong += 1 }
            if number % 5000 == 0 {
                ids.close(through: EventTime(milliseconds: time - 5000))
                _ = ids.cut()
            }
        }
        #expect(wrong == 0)
        #expect(ids.memoryBytes < 400_000 / 24 * 5 * 60)
    }

    @Test func tooManyIDsAreAnError() throws {
        let ids = make(limit: 3)
        for id in ["a", "b", "c", "c"] { _ = try note(ids, id, at: 0) }
        #expect(throws: TooManyIDs.self) { try note(ids, "d", at: 0) }
        let error = TooManyIDs(table: "ids", limit: 3)
        #expect(error.message.contains("3 ids") && error.message.contains("horizon"))
    }

    @Test func damagedRecordsAreRefused() {
        let ids = make()
        let key = [UInt8](repeating: 0x80, count: 12)
        for (key, record) in [(Array(key.dropLast()), [0]), (key, []), (key, [5, 1, 2, 3, 4, 5]), (key, [16, 1])] as [([UInt8], [UInt8])] {
            #expect(!key.withView { key in record.withView { ids.restore(.stored(key: key, record: $0), isCompacted: true) } }, "\(record)")
        }
    }
}
