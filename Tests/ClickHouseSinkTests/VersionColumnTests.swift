import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite(
    "Versions of a job whose columns differ deliver to the same table, one after the other and back again",
    .servers(.debian1816, .engine269))
struct VersionColumnTests {
    private static let added = [
        OutputColumn("city", .text), OutputColumn("visits", .count), OutputColumn("rate", .number), OutputColumn("isNew", .flag),
        OutputColumn("leftAt", .time), OutputColumn("fee", .amount), OutputColumn("total", .sum), OutputColumn("kinds", .textCounts),
        OutputColumn("tags", .texts),
    ]
    private static let addedValues: [TestValue] = [
        .text("Bonn"), .count(7), .number(0.5), .flag(true), .time(Waves.time), .amount(5), .sum(6), .textCounts([("x", 1)]), .texts(["t"]),
    ]

    /// What the next version of the job declares: a column of every type more.
    private static let next = OutputTable("waves", timeColumn: "seenAt", orderBy: ["name", "seenAt"], columns: Waves.table.columns + added)

    /// The statements that an error tells to run.
    private func alters(in error: SinkError?) -> [String] {
        (error?.message ?? "").split(separator: "\n").compactMap { line in
            line.firstRange(of: "ALTER TABLE").map { String(line[$0.lowerBound...]) }
        }
    }

    @Test(arguments: ServerVersion.allCases)
    func whatIsProposedForTheNextVersionKeepsNoRowOfTheOneBeforeOut(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        try fixture.sink(Waves.table).deliver(Waves.batch(1, ["before"]))
        let refusal = #expect(throws: SinkError.self) { try fixture.sink(Self.next) }
        let statements = alters(in: refusal)
        #expect(statements.count == Self.added.count, "\(refusal?.message ?? "")")
        for statement in statements { try fixture.server.query(statement) }
        try fixture.sink(Self.next, lastFrozen: 2).deliver(SinkBatch(Self.next, number: 2, rows: [Waves.row("next") + Self.addedValues]))
        try fixture.sink(Waves.table, lastFrozen: 3).deliver(Waves.batch(3, ["back"]))
        #expect(try fixture.delivered().map { $0[2] } == ["before", "next", "back"])
        // What a row holds that did not name a column is what it would hold if that had been there from the start.
        let columns = Self.added.map(\.name).joined(separator: ", ")
        let rows = try fixture.server.rows("SELECT \(columns) FROM \(fixture.database).waves ORDER BY _batch")
        #expect(rows[0] == rows[2] && rows[1][0] == "Bonn" && rows[0][1] == "0", "\(rows)")
    }

    @Test(arguments: ServerVersion.allCases)
    func aTableThatTheNextVersionCreatedTakesTheRowsOfTheOneBefore(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        try fixture.sink(Self.next).deliver(SinkBatch(Self.next, number: 1, rows: [Waves.row("next") + Self.addedValues]))
        try fixture.sink(Waves.table, lastFrozen: 2).deliver(Waves.batch(2, ["back"]))
        #expect(try fixture.delivered().map { $0[2] } == ["next", "back"])
    }

    /// 18.16 drops a default that a change of the type does not name, and today's servers leave a computed column computed.
    @Test(arguments: ServerVersion.allCases)
    func aChangedColumnHasADefaultToo(version: ServerVersion) throws {
        let fixture = try SinkFixture(version, createDatabase: true)
        let columns = "name String, seenAt DateTime('UTC'), height Float64 DEFAULT 1.5, city String MATERIALIZED name"
        try fixture.server.query(
            "CREATE TABLE \(fixture.database).waves (\(columns), _task String, _lineage UInt32, _batch UInt64, _row UInt32) ENGINE = MergeTree PARTITION BY toYYYYMM(seenAt) ORDER BY seenAt"
        )
        let table = OutputTable("waves", timeColumn: "seenAt", orderBy: ["name"], columns: Waves.table.columns + [Self.added[0]])
        let statements = alters(in: #expect(throws: SinkError.self) { try fixture.sink(table) })
        #expect(statements.count == 2)
        for statement in statements { try fixture.server.query(statement) }
        try fixture.sink(table).deliver(SinkBatch(table, number: 1, rows: [Waves.row("a") + [.text("Bonn")]]))
        let kinds = try fixture.server.rows(
            "SELECT name, default_kind FROM system.columns WHERE database = '\(fixture.database)' AND table = 'waves' AND name IN ('height', 'city') ORDER BY name"
        )
        #expect(kinds == [["city", "DEFAULT"], ["height", "DEFAULT"]])
    }

    @Test(arguments: ServerVersion.allCases)
    func aColumnOfAnotherVersionWithoutADefaultIsToldOnceAndKeepsNoRowOut(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        _ = try fixture.sink(Waves.table)
        try fixture.server.query("ALTER TABLE \(fixture.database).waves ADD COLUMN city String")
        let refusal = #expect(throws: SinkError.self) { try fixture.sink(Waves.table) }
        let statement = try #require(alters(in: refusal).first)
        var settings = fixture.settings()
        settings.tableCheckInterval = .milliseconds(1)
        let sink = try ClickHouseSink(settings, log: fixture.log.logger)
        let known = SinkTable(table: Waves.table, lineage: .first, lastFrozen: nil, isNewState: false, knownLayouts: [Self.next])
        _ = try sink.open([known])
        for number in 1...3 { try sink.deliver(Waves.batch(UInt64(number), ["w\(number)"])) }
        #expect(fixture.log.text.components(separatedBy: statement).count == 2, "\(fixture.log.text)")
        #expect(try fixture.delivered().count == 3)
        let told = try sink.look(at: [known], for: StartIntent(comparesLedger: false, rollsBack: false))
        #expect(told[0].notices.count == 1 && !told[0].isUnfit)
        try fixture.server.query(statement)
        #expect(try sink.look(at: [known], for: StartIntent(comparesLedger: false, rollsBack: false))[0].notices == [])
    }
}
