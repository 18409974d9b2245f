import Engine
import Foundation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Promise 4: a sink that is ahead of the state stops the start", .servers(.debian1816, .engine269))
struct LedgerTests {
    /// A table with batches 1 and 2 of lineage 3.
    private func fixtureWithRows(_ version: ServerVersion) throws -> SinkFixture {
        let fixture = try SinkFixture(version)
        let sink = try fixture.sink(Waves.table, lineage: 3)
        try sink.deliver(Waves.batch(1, lineage: 3))
        try sink.deliver(Waves.batch(2, lineage: 3))
        return fixture
    }

    @Test(arguments: ServerVersion.allCases)
    func theStateThatMadeThemGoesOn(version: ServerVersion) throws {
        let fixture = try fixtureWithRows(version)
        _ = try fixture.sink(Waves.table, lastFrozen: 2, lineage: 3)
        _ = try fixture.sink(Waves.table, lastFrozen: 5, lineage: 3)
        _ = try fixture.sink(Waves.table, lineage: 4)
    }

    @Test(arguments: ServerVersion.allCases)
    func anOlderStateIsRefused(version: ServerVersion) throws {
        let fixture = try fixtureWithRows(version)
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lastFrozen: 1, lineage: 3) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("holds batch 2 of lineage 3") == true)
        #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lineage: 3) }
    }

    @Test(arguments: ServerVersion.allCases)
    func anOlderLineageIsRefused(version: ServerVersion) throws {
        let fixture = try fixtureWithRows(version)
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lastFrozen: 9, lineage: 2) }
        #expect(error?.kind == .fenced)
        #expect(error?.message.contains("lineage 2") == true)
    }

    @Test(
        "a restored state begins its lineage beside what counts of the earlier ones, and refuses what does not",
        arguments: ServerVersion.allCases)
    func aRestoredState(version: ServerVersion) throws {
        let fixture = try fixtureWithRows(version)
        func end(_ batch: UInt64?, lineage: UInt32 = 3) -> LineageEnd {
            LineageEnd(lineage: Lineage(lineage), lastBatch: batch.map { BatchNumber($0) })
        }
        _ = try fixture.sink(Waves.table, lineage: 5, ends: [end(9, lineage: 1), end(2), end(nil, lineage: 4)])
        _ = try fixture.sink(Waves.table, lineage: 5, ends: nil)
        for ends in [[end(1)], [end(nil)], [end(9, lineage: 4)], []] {
            let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lineage: 5, ends: ends) }
            #expect(error?.kind == .invalid)
            #expect(error?.message.contains("of lineage 3, which the state of the job waves (lineage 5) does not count") == true)
        }
        let alone = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lineage: 5, ends: []) }
        for part in ["Of 10 rows that don't count 0 are there once more", "so don't delete them"] {
            #expect(alone?.message.contains(part) == true, "\(alone?.message ?? "")")
        }
        #expect(alone?.message.contains("ALTER TABLE") == false)
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lineage: 5, ends: [end(1)]) }
        #expect(error?.message.contains("All 5 rows that don't count were looked for and are there once more") == true)
        let statement = try #require(error?.message.components(separatedBy: "then delete them: ").last)
        try fixture.server.query(statement)
        try waitUntil("the statement that the error names has mended it") {
            (try? fixture.sink(Waves.table, lineage: 5, ends: [end(1)])) != nil
        }
        #expect(try fixture.delivered() == Waves.rows(1))
    }

    @Test(arguments: ServerVersion.allCases)
    func anEmptyStateIsRefused(version: ServerVersion) throws {
        let fixture = try fixtureWithRows(version)
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, isNewState: true) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("state directory is empty") == true)
        var other = fixture.settings()
        other.job = "ripples"
        _ = try fixture.sink(Waves.table, settings: other, isNewState: true)
    }

    @Test("a server remembers the names of batches whose rows were deleted: a state that begins anew loses none of its own by it")
    func aNewStateIsNotTakenForTheOld() throws {
        let fixture = try SinkFixture(.engine269)
        try fixture.sink(Waves.table, isNewState: true, stateIdentity: "one").deliver(Waves.batch(1))
        try fixture.server.query(
            "ALTER TABLE \(fixture.database).waves DELETE WHERE _task = 'waves/clickhouse'", settings: "mutations_sync=2")
        #expect(try fixture.delivered().isEmpty)
        try fixture.sink(Waves.table, isNewState: true, stateIdentity: "two").deliver(Waves.batch(1))
        #expect(try fixture.delivered() == Waves.rows(1))
    }
}
