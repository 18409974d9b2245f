import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Created tables", .servers(.debian1816, .engine269))
struct TableTests {
    /// One column of every type.
    private static let table = OutputTable(
        "every", timeColumn: "eventTime", orderBy: ["customer", "eventTime"],
        columns: [
            OutputColumn("customer", .text), OutputColumn("eventTime", .time), OutputColumn("number", .count),
            OutputColumn("rate", .number),
            OutputColumn("isGood", .flag), OutputColumn("amount", .amount), OutputColumn("total", .sum), OutputColumn("kinds", .textCounts),
            OutputColumn("names", .texts),
        ]
    )

    private static let expected: [ServerVersion: [String]] = [
        .debian1816: [
            "customer String", "eventTime DateTime(\\'UTC\\')", "number UInt64", "rate Float64", "isGood UInt8", "amount Decimal(18, 2)",
            "total Decimal(38, 2)", "kinds String", "names Array(String)", "date Date", "hour UInt8", "_task String", "_lineage UInt32",
            "_batch UInt64", "_row UInt32",
        ],
        .engine269: [
            "customer String", "eventTime DateTime64(3, \\'UTC\\')", "number UInt64", "rate Float64", "isGood Bool",
            "amount Decimal(18, 2)",
            "total Decimal(38, 2)", "kinds Map(String, UInt32)", "names Array(String)", "date Date", "hour UInt8",
            "_task LowCardinality(String)", "_lineage UInt32", "_batch UInt64", "_row UInt32",
        ],
    ]

    @Test(arguments: ServerVersion.allCases)
    func haveTheTypesThatTheServerHas(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        let known = SinkTable(table: TableTests.table, lineage: .first, lastFrozen: nil, isNewState: true)
        #expect(try sink.open([known]) == ["every": .month])
        let columns = try fixture.server.rows("DESCRIBE TABLE \(fixture.database).every").map { "\($0[0]) \($0[1])" }
        #expect(columns.sorted() == TableTests.expected[version]?.sorted())
        let place = "database = '\(fixture.database)' AND name = 'every'"
        let facts = try fixture.server.rows("SELECT engine, partition_key, sorting_key FROM system.tables WHERE \(place)")
        #expect(facts == [["MergeTree", "toYYYYMM(eventTime)", "customer, eventTime"]])
        let full = try fixture.server.query("SELECT engine_full, create_table_query FROM system.tables WHERE \(place)")
        #expect(full.contains("non_replicated_deduplication_window = 10000") == (version == .engine269))
        #expect(full.contains("TYPE minmax") == (version == .engine269))
        #expect(try sink.open([known]) == ["every": .month], "a second start finds everything there")
    }

    @Test("Every column of a created table has a default, or is computed", arguments: ServerVersion.allCases)
    func defaults(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        _ = try fixture.sink(TableTests.table)
        let columns = try fixture.server.rows("DESCRIBE TABLE \(fixture.database).every")
        #expect(columns.filter { $0[2].isEmpty }.map { $0[0] } == [])
        #expect(columns.filter { $0[2] == "MATERIALIZED" }.map { $0[0] }.sorted() == ["date", "hour"])
    }

    @Test("date and hour are those of the time column in UTC", arguments: ServerVersion.allCases)
    func derivedColumns(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let row: [TestValue] = [
            .text("c"), .time(1_719_791_999_999), .count(1), .number(0.5), .flag(true), .amount(1), .sum(2), .textCounts([("x", 1)]),
            .texts(["y"]),
        ]
        try fixture.sink(TableTests.table).deliver(SinkBatch(TableTests.table, number: 1, rows: [row]))
        #expect(try fixture.server.rows("SELECT date, hour FROM \(fixture.database).every") == [["2024-06-30", "23"]])
    }

    @Test("The statements that are printed create the same tables", arguments: ServerVersion.allCases)
    func printedStatements(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let script = try ClickHouseSink(fixture.settings(), log: fixture.log.logger).createStatements([TableTests.table, Waves.table])
        for statement in script.split(separator: ";\n").filter({ $0.contains("CREATE") }) { try fixture.server.query(String(statement)) }
        var settings = fixture.settings()
        settings.createTables = false
        let sink = try fixture.sink(TableTests.table, settings: settings)
        #expect(sink.status.map(\.table) == ["every"])
        if version == .engine269 {
            let modern = CreateStatements(database: fixture.database, dialect: .modern).script([TableTests.table, Waves.table])
            #expect(modern == script, "without a server the statements are today's")
        }
    }

    @Test("Where the server knows it, an index finds a batch without reading the others")
    func batchIndex() throws {
        let fixture = try SinkFixture(.engine269)
        let sink = try fixture.sink(Waves.table)
        for number in 1...3 { try sink.deliver(Waves.batch(UInt64(number), ["x\(number)"])) }
        let plan = try fixture.server.query(
            "EXPLAIN indexes = 1 SELECT count() FROM \(fixture.database).waves WHERE _lineage = 1 AND _batch > 2")
        #expect(plan.contains("Name: _batch_range") && plan.contains("Granules: 1/3"), "\(plan)")
    }

    @Test("A password with every kind of character works and is shown nowhere")
    func passwords() throws {
        let fixture = try SinkFixture(.debian1816)
        var settings = fixture.settings()
        settings.user = "writer"
        settings.password = "wrong-secret"
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, settings: settings) }
        #expect(error?.description.contains("wrong-secret") == false)
        settings.password = "tide's mark"
        let sink = try fixture.sink(Waves.table, settings: settings)
        try sink.deliver(Waves.batch(1))
        #expect(!fixture.log.text.contains("tide's mark"))
        #expect(throws: SinkError.self) {
            try ClickHouseSink(ClickHouseSettings(url: "http://me:secret@host:8123", job: "j"), log: fixture.log.logger)
        }
    }
}
