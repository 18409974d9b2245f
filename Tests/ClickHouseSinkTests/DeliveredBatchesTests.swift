import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("What a table holds of a job can be listed by batch", .servers(.debian1816, .engine269))
struct DeliveredBatchesTests {
    private func list(_ fixture: RollbackFixture, _ lineage: UInt32? = nil) throws -> [String] {
        var found: [String] = []
        try ClickHouseSink(fixture.settings, log: fixture.sinks.log.logger).deliveredBatches(
            of: Waves.table, lineage: lineage.map { Lineage($0) }
        ) { batch in
            found.append(
                "\(batch.lineage)/\(batch.batch): \(batch.rows) rows \(batch.firstRow)…\(batch.lastRow), \(batch.distinctRows) different\(batch.isGapless ? "" : "!")"
            )
        }
        return found
    }

    @Test(arguments: ServerVersion.allCases)
    func everyBatch(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        var other = fixture.settings
        other.job = "ripples"
        try fixture.sinks.sink(Waves.table, settings: other).deliver(Waves.batch(7))
        let whole = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1)].map { "\($0)/\($1): 5 rows 0…4, 5 different" }
        #expect(try list(fixture) == whole)
        #expect(try list(fixture, 2) == Array(whole[3...5]))
        #expect(try list(fixture, 9).isEmpty)
        try fixture.server.query("ALTER TABLE \(fixture.table) DELETE WHERE _batch = 3 AND _row = 2")
        try waitUntil("it is deleted") { try fixture.mutations("is_done = 0") == 0 }
        let columns = "name, seenAt, height, _task, _lineage, _batch, _row"
        try fixture.server.query(
            "INSERT INTO \(fixture.table) (\(columns)) SELECT \(columns) FROM \(fixture.table) WHERE _lineage = 1 AND _batch = 3 AND _row = 4"
        )
        #expect(try list(fixture, 1) == ["1/1: 5 rows 0…4, 5 different", "1/2: 5 rows 0…4, 5 different", "1/3: 5 rows 0…4, 4 different!"])
        #expect(try list(fixture, 2).last == "2/3: 4 rows 0…4, 4 different!")
    }

    @Test func aTableThatIsNotThere() throws {
        let fixture = try SinkFixture(.engine269, createDatabase: true)
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        let error = #expect(throws: SinkError.self) { try sink.deliveredBatches(of: Waves.table) { _ in } }
        #expect(error?.kind == .missing)
    }
}
