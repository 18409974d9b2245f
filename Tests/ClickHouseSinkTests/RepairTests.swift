import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Promise 3: a batch that is there in part stops, and resolve is the way out", .servers(.debian1816, .engine269))
struct RepairTests {
    /// A fixture whose table lacks these rows of batch 1, deleted by hand.
    private func fixture(_ version: ServerVersion, without rows: String) throws -> SinkFixture {
        let fixture = try SinkFixture(version)
        let sink = try fixture.sink(Waves.table)
        try sink.deliver(Waves.batch(1))
        try sink.deliver(Waves.batch(2))
        try fixture.server.query("ALTER TABLE \(fixture.database).waves DELETE WHERE _batch = 1 AND \(rows)")
        try waitUntil("the mutation is done") {
            try fixture.server.rows("SELECT count() FROM system.mutations WHERE database = '\(fixture.database)' AND is_done = 0") == [
                ["0"]
            ]
        }
        return fixture
    }

    private func repair(_ fixture: SinkFixture, url: String? = nil) throws -> BatchRepair {
        var settings = fixture.settings(url: url)
        settings.insertTimeout = .seconds(1)
        return try BatchRepair(settings, table: Waves.table, log: fixture.log.logger)
    }

    @Test(arguments: ServerVersion.allCases)
    func missingRowsStopTheTableAndAreSentAgain(version: ServerVersion) throws {
        let fixture = try fixture(version, without: "_row IN (1, 3)")
        let sink = try fixture.sink(Waves.table, lastFrozen: 2)
        let error = #expect(throws: SinkError.self) { try sink.deliver(Waves.batch(1), mayHaveBeenSent: true) }
        for text in [
            "batch 1", "lineage 1", "3 of its 5 rows", "\(fixture.database).waves", "tidemark resolve --batch waves:1 --as resend-missing",
        ] {
            #expect(error?.message.contains(text) == true, "\(text)")
        }
        #expect(sink.status[0].state == .stopped)
        let found = try repair(fixture).resendMissing(Waves.batch(1))
        #expect(found == BatchFindings(expected: 5, rows: [0: 1, 2: 1, 4: 1]))
        #expect(found.missing == [1, 3] && found.found == 3)
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2))
        #expect(try sink.deliver(Waves.batch(1), mayHaveBeenSent: true) == .delivered)
    }

    @Test("Rows that are all gone are sent again although the server remembers the batch", arguments: ServerVersion.allCases)
    func allGone(version: ServerVersion) throws {
        let fixture = try fixture(version, without: "1")
        let sink = try fixture.sink(Waves.table, lastFrozen: 2)
        if version == .engine269 {
            let error = #expect(throws: SinkError.self) { try sink.deliver(Waves.batch(1), mayHaveBeenSent: true) }
            #expect(
                error?.message.contains("0 of its 5 rows") == true, "its token made the server drop the resend, and the count found out")
        }
        #expect(try repair(fixture).resendMissing(Waves.batch(1)).found == 0)
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2))
        #expect(try repair(fixture).resendMissing(Waves.batch(1)).missing == [], "a second time changes nothing")
        #expect(try fixture.delivered().count == 10)
    }

    @Test(arguments: ServerVersion.allCases, [RequestFault.dropAnswer, .cutBody, .answerItself(status: 500), .deliverLate(seconds: 0.1)])
    func faultsOnTheWay(version: ServerVersion, fault: RequestFault) throws {
        let fixture = try fixture(version, without: "_row = 2")
        let proxy = try FaultProxy(to: fixture.server.port)
        proxy.meet([fault])
        _ = try repair(fixture, url: proxy.url).resendMissing(Waves.batch(1))
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2))
    }

    @Test(arguments: ServerVersion.allCases)
    func rowsThatAreThereTwiceAreRefused(version: ServerVersion) throws {
        let fixture = try fixture(version, without: "_row = 0")
        try fixture.server.query(
            "INSERT INTO \(fixture.database).waves (name, seenAt, height, _task, _lineage, _batch, _row) SELECT name, seenAt, height, _task, _lineage, _batch, _row FROM \(fixture.database).waves WHERE _batch = 1 AND _row = 4"
        )
        let error = #expect(throws: SinkError.self) { try repair(fixture).resendMissing(Waves.batch(1)) }
        #expect(error?.message.contains("the first: 4") == true)
        #expect(try repair(fixture).find(Waves.batch(1)).surplus == [4])
    }
}

@Suite("Deduplication tokens help, but prove nothing", .servers(.engine269))
struct TokenTests {
    @Test func aBatchSentTwiceUnderItsNameLandsOnce() throws {
        let fixture = try SinkFixture(.engine269)
        try fixture.sink(Waves.table).deliver(Waves.batch(1))
        // As if the ledger had been lost: the count is not asked, the token alone holds.
        try fixture.sink(Waves.table, lastFrozen: 1).deliver(Waves.batch(1))
        #expect(try fixture.delivered() == Waves.rows(1))
    }

    @Test func theTokenDecidesNotTheRows() throws {
        let fixture = try SinkFixture(.engine269)
        let sink = try fixture.sink(Waves.table)
        let columns = "name, seenAt, height, _task, _lineage, _batch, _row"
        try sink.deliver(Waves.batch(1))
        try fixture.server.query("ALTER TABLE \(fixture.database).waves MODIFY COLUMN height Decimal(38, 4)")
        try fixture.sink(Waves.table, lastFrozen: 1).deliver(Waves.batch(1))
        #expect(try fixture.delivered() == Waves.rows(1), "encoded for other columns it is still the same batch")
        try fixture.server.query("INSERT INTO \(fixture.database).waves (\(columns)) SELECT \(columns) FROM \(fixture.database).waves")
        #expect(try fixture.delivered().count == 10, "equal rows under no name are not dropped")
    }
}
