import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Tables that were seen to be right are gone on with while the server is away", .ownServers(.debian1816, .engine269), .serialized)
struct PreparedTests {
    private func known(lastFrozen: UInt64?, isNewState: Bool = false) -> SinkTable {
        SinkTable(table: Waves.table, lineage: .first, lastFrozen: lastFrozen.map { BatchNumber($0) }, isNewState: isNewState)
    }

    @Test(arguments: ServerVersion.allCases)
    func aSinkOpensWithoutItsServerAndDeliversOnceThatIsBack(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        try sink.prepare([known(lastFrozen: nil)])
        fixture.server.kill()
        #expect(try sink.open([known(lastFrozen: nil)]) == ["waves": .month])
        let outcome = Mutex<Result<DeliveryOutcome, any Error>?>(nil)
        let ended = DispatchSemaphore(value: 0)
        Thread {
            let result = Result { try sink.deliver(Waves.batch(1)) }
            outcome.withLock { $0 = result }
            ended.signal()
        }.start()
        try waitUntil("the delivery waits") { sink.status.first?.state == .waiting }
        try fixture.server.start()
        ended.wait()
        #expect(try outcome.withLock { $0 }?.get() == .delivered)
        #expect(try fixture.delivered() == Waves.rows(1))
    }

    /// What was put off is made up for before anything is sent.
    @Test(arguments: ServerVersion.allCases)
    func rowsThatTheStateKnowsNothingOfStopTheFirstDelivery(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let ahead = try fixture.sink(Waves.table)
        for number in 1...2 { try ahead.deliver(Waves.batch(UInt64(number))) }
        let atStart = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, lastFrozen: 1) }
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        try sink.prepare([known(lastFrozen: nil)])
        _ = try sink.open([known(lastFrozen: 1)])
        let atDelivery = #expect(throws: SinkError.self) { try sink.deliver(Waves.batch(2, ["other"])) }
        #expect(atDelivery?.message == atStart?.message && atDelivery?.kind == .invalid)
        #expect(try fixture.delivered().count == 10)
    }

    /// Nothing could be compared later with a state that begins: everything would be read before it was known.
    @Test func aStateThatBeginsNeedsItsServer() throws {
        let fixture = try SinkFixture(.engine269)
        try fixture.sink(Waves.table).deliver(Waves.batch(1))
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        try sink.prepare([known(lastFrozen: nil)])
        let error = #expect(throws: SinkError.self) { try sink.open([known(lastFrozen: nil, isNewState: true)]) }
        #expect(error?.message.contains("state directory is empty") == true)
    }

    /// A table that was changed meanwhile is found as one is while the job runs.
    @Test func aTableThatWasAlteredMeanwhileIsWaitedFor() throws {
        let fixture = try SinkFixture(.debian1816)
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        try sink.prepare([known(lastFrozen: nil)])
        try fixture.server.query("ALTER TABLE \(fixture.database).waves DROP COLUMN height")
        _ = try sink.open([known(lastFrozen: nil)])
        let ended = DispatchSemaphore(value: 0)
        Thread {
            _ = try? sink.deliver(Waves.batch(1))
            ended.signal()
        }.start()
        try waitUntil("the delivery needs somebody") { sink.status.first?.state == .stopped }
        try fixture.server.query("ALTER TABLE \(fixture.database).waves ADD COLUMN height Decimal(18, 2) DEFAULT 0")
        ended.wait()
        #expect(try fixture.delivered() == Waves.rows(1))
    }
}
