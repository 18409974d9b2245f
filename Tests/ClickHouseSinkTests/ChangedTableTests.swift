import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("A table that changes while batches are delivered", .servers(.debian1816, .engine269))
struct ChangedTableTests {
    @Test("A value that doesn't fit stops the table, and it goes on by itself after the ALTER", arguments: ServerVersion.allCases)
    func tooWide(version: ServerVersion) throws {
        let fixture = try SinkFixture(version, createDatabase: true)
        try fixture.server.query(BadTable(height: "height Decimal(9, 2)", says: []).statement(fixture.database))
        let sink = try fixture.sink(Waves.table)
        try sink.deliver(Waves.batch(1))
        let wide = SinkBatch(Waves.table, number: 2, rows: [Waves.row("small"), Waves.row("great", height: -123_456_789_012)])
        let delivery = BackgroundDelivery(sink, wide)
        try waitUntil("the table is stopped") { sink.status[0].state == .stopped }
        let said = try #require(sink.status[0].lastError)
        for text in [
            "-1234567890.12", "height", "Decimal(9, 2)", "batch 2",
            "ALTER TABLE `\(fixture.database)`.`waves` MODIFY COLUMN `height` Decimal(38, 2)",
        ] {
            #expect(said.contains(text), "\(text) in: \(said)")
        }
        #expect(delivery.outcome == nil)
        #expect(try fixture.delivered() == Waves.rows(1))
        let statement = try #require(said.firstRange(of: "ALTER TABLE")).lowerBound
        try fixture.server.query(String(said[statement...]))
        try waitUntil("the batch is delivered") { delivery.outcome != nil }
        #expect(try delivery.outcome?.get() == .delivered)
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2, ["small", "great"]))
        #expect(sink.status[0].state == .idle)
    }

    @Test("A column dropped by hand stops the table until it is back", arguments: ServerVersion.allCases)
    func droppedColumn(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let sink = try fixture.sink(Waves.table)
        try fixture.server.query("ALTER TABLE \(fixture.database).waves DROP COLUMN height")
        let delivery = BackgroundDelivery(sink, Waves.batch(1))
        try waitUntil("the table is stopped") { sink.status[0].state == .stopped }
        #expect(sink.status[0].lastError?.contains("the column height is missing") == true)
        try fixture.server.query("ALTER TABLE \(fixture.database).waves ADD COLUMN height Decimal(38, 4)")
        try waitUntil("the batch is delivered") { delivery.outcome != nil }
        #expect(try delivery.outcome?.get() == .delivered)
        #expect(try fixture.server.rows("SELECT sum(height) = toDecimal64('61.7', 4) FROM \(fixture.database).waves") == [["1"]])
    }

    @Test("A table replaced by one whose partition key splits the batch is refused", arguments: ServerVersion.allCases)
    func otherPartitionKey(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        var settings = fixture.settings()
        settings.tableCheckInterval = .zero
        let sink = try fixture.sink(Waves.table, settings: settings)
        try fixture.server.query("DROP TABLE \(fixture.database).waves")
        try fixture.server.query(BadTable(key: "PARTITION BY toDate(seenAt) ORDER BY seenAt", says: []).statement(fixture.database))
        let twoDays = SinkBatch(Waves.table, number: 1, rows: [Waves.row("a"), Waves.row("b", at: Waves.time + 86_400_000)])
        let error = #expect(throws: SinkError.self) { try sink.deliver(twoDays) }
        #expect(error?.kind == .incompatible)
        #expect(error?.message.contains("row 0 in 20240115, row 1 in 20240116") == true)
        #expect(error?.message.contains("toDate(seenAt)") == true)
        #expect(try fixture.delivered() == [])
        try sink.deliver(Waves.batch(1))
        #expect(try fixture.delivered() == Waves.rows(1), "a batch of one day goes on")
    }

    @Test("A table replaced by one of another engine is refused")
    func otherEngine() throws {
        let fixture = try SinkFixture(.engine269)
        var settings = fixture.settings()
        settings.tableCheckInterval = .zero
        let sink = try fixture.sink(Waves.table, settings: settings)
        try fixture.server.query("DROP TABLE \(fixture.database).waves")
        try fixture.server.query(BadTable(engine: "ReplacingMergeTree", says: []).statement(fixture.database))
        let error = #expect(throws: SinkError.self) { try sink.deliver(Waves.batch(1)) }
        #expect(error?.kind == .incompatible)
        #expect(sink.status[0].state == .stopped)
    }
}
