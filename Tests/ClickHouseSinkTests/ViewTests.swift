import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Views follow the tables as they are, and never keep a job from running", .servers(.debian1816, .engine269))
struct ViewTests {
    private static let clicks = OutputTable(
        "clicks", timeColumn: "at", orderBy: ["page", "at"],
        columns: [
            OutputColumn("page", .text), OutputColumn("at", .time), OutputColumn("number", .count), OutputColumn("rate", .number),
            OutputColumn("isGood", .flag), OutputColumn("amount", .amount), OutputColumn("kinds", .textCounts),
            OutputColumn("names", .texts),
        ]
    )

    private static let byKind = OutputView(
        "by_kind", of: clicks, by: .eachCounted("kind", in: "kinds"), measuring: [.counted("clicks"), .count("rows")])
    private static let byName = OutputView(
        "by_name", of: clicks, by: .eachText("name", in: "names"), measuring: [.count("rows"), .sum("total", of: "amount")])
    private static let latestByName = OutputView(
        "latest_by_name", of: clicks, by: .eachText("name", in: "names"), counting: .latest(of: "page"), measuring: [.count("pages")]
    )
    private static let byRate = OutputView(
        "by_rate", of: clicks,
        by: .bands("band", of: "rate", [ViewBand(from: 10, "much"), ViewBand(from: 1, "some")], otherwise: "it's \\ none"),
        measuring: [
            .count("rows"), .flagged("good", "isGood"), .mean("mean", of: "rate"), .greatest("greatest", of: "amount"),
            .distinct("pages", of: "page"),
        ]
    )
    private static let byPage = OutputView(
        "by_page", of: clicks, by: .column("page"),
        measuring: [.sum("number", of: "number"), .sum("amount", of: "amount"), .ratio("mean", "amount", by: "number"), .latest("rate")]
    )
    private static let all = [byKind, byName, latestByName, byRate, byPage]

    private static let day: Int64 = 1_705_276_800_000

    private static func row(
        _ page: String, hour: Int64, number: UInt64, rate: Double, good: Bool, cents: Int64, kinds: [(String, UInt32)], names: [String]
    ) -> [TestValue] {
        [
            .text(page), .time(day + hour * 3_600_000), .count(number), .number(rate), .flag(good), .amount(cents), .textCounts(kinds),
            .texts(names),
        ]
    }

    private static let rows = [
        row("a", hour: 1, number: 1, rate: 0.5, good: true, cents: 100, kinds: [("x", 1), ("q\"\\\t√", 20)], names: ["n", "m"]),
        row("a", hour: 2, number: 2, rate: 2, good: false, cents: -250, kinds: [], names: ["n"]),
        // The same time as the row before: the one that was written later is the latest.
        row("a", hour: 2, number: 3, rate: 12, good: true, cents: 1000, kinds: [("x", 5)], names: ["o"]),
        row("b", hour: 0, number: 1, rate: 10, good: true, cents: 1, kinds: [("y", 4_000_000_000), ("x", 1)], names: ["o", "n"]),
    ]

    private static let expected = [
        "by_kind": [["y", "4000000000", "1"], ["q\"\\\t√", "20", "1"], ["x", "7", "3"]],
        "by_name": [["n", "3", "-1.49"], ["o", "2", "10.01"], ["m", "1", "1"]],
        "latest_by_name": [["o", "2"], ["n", "1"]],
        "by_rate": [
            ["much", "2", "2", "11", "10", "2"], ["it's \\ none", "1", "1", "0.5", "1", "1"], ["some", "1", "0", "2", "-2.5", "1"],
        ],
        "by_page": [["a", "6", "8.5", String(8.5 / 6), "12"], ["b", "1", "0.01", "0.01", "10"]],
    ]

    private func sink(_ fixture: SinkFixture, _ views: [OutputView] = ViewTests.all) throws -> ClickHouseSink {
        let sink = try ClickHouseSink(fixture.settings(), views: views, log: fixture.log.logger)
        _ = try sink.open([SinkTable(table: ViewTests.clicks, lineage: .first, lastFrozen: nil, isNewState: false)])
        return sink
    }

    private func checkAll(_ fixture: SinkFixture) throws {
        let connection = try ClickHouseConnection(fixture.settings())
        for view in ViewTests.all {
            let columns = view.columns.map(\.name).joined(separator: ", ")
            let found = try connection.rows("SELECT \(columns) FROM \(fixture.database).\(view.name)").map { $0.map(shortened) }
            #expect(found == ViewTests.expected[view.name], "\(view.name)")
        }
    }

    /// A number as newer servers write money, without zeros at its end.
    private func shortened(_ text: String) -> String {
        guard text.contains("."), Double(text) != nil else { return text }
        let digits = text.reversed().drop { $0 == "0" }
        return String(digits.first == "." ? Array(digits.dropFirst().reversed()) : Array(digits.reversed()))
    }

    @Test(arguments: ServerVersion.allCases)
    func overCreatedTables(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        try sink(fixture).deliver(SinkBatch(ViewTests.clicks, number: 1, rows: ViewTests.rows))
        try checkAll(fixture)
        #expect(!fixture.log.text.contains("warning"), "\(fixture.log.text)")
    }

    @Test("Columns of other types that take the rows are measured as well", arguments: ServerVersion.allCases)
    func overATableOfOnesOwn(version: ServerVersion) throws {
        let fixture = try SinkFixture(version, createDatabase: true)
        let text = version == .engine269 ? "LowCardinality(String)" : "String"
        let time = version == .engine269 ? "DateTime64(6, 'UTC')" : "DateTime('UTC')"
        try fixture.server.query(
            """
            CREATE TABLE \(fixture.database).clicks (page \(text), at \(time), number Int32, rate Nullable(Float64), isGood Nullable(UInt8),
            amount Nullable(Decimal(38, 4)), kinds Nullable(String), names Array(\(text)), _task String, _lineage UInt32, _batch UInt64, _row UInt32)
            ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY page
            """
        )
        try sink(fixture).deliver(SinkBatch(ViewTests.clicks, number: 1, rows: ViewTests.rows))
        try checkAll(fixture)
        // JSON as somebody else wrote it.
        try fixture.server.query(
            "INSERT INTO \(fixture.database).clicks (page, kinds) VALUES ('c', '{ \"x\" : 3,\\n \"q\\\\\"\\\\\\\\\\\\t√\": 7 }')")
        #expect(try fixture.server.rows("SELECT clicks FROM \(fixture.database).by_kind") == [["4000000000"], ["27"], ["10"]])
    }

    @Test(
        "A view whose columns are missing is skipped with a word of what to do, and the others are created",
        arguments: ServerVersion.allCases)
    func unfittingTables(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        _ = try sink(fixture, [])
        try fixture.server.query("ALTER TABLE \(fixture.database).clicks DROP COLUMN rate")
        let log = RecordedLog()
        let outcomes = try ClickHouseSink(fixture.settings(), views: ViewTests.all, log: log.logger).createTables([ViewTests.clicks])
        let skipped = outcomes.filter { if case .skipped = $0.what { true } else { false } }.map(\.name)
        #expect(skipped == ["by_rate", "by_page"])
        #expect(outcomes.filter { $0.what == .created }.map(\.name) == ["by_kind", "by_name", "latest_by_name"])
        for text in ["warning: the view \(fixture.database).by_rate is not created", "no fitting column rate", "tidemark check"] {
            #expect(log.text.contains(text), "\(log.text)")
        }
        let printed = try ClickHouseSink(fixture.settings(), views: ViewTests.all, log: log.logger).createStatements([ViewTests.clicks])
        #expect(printed.contains("-- by_rate is left out: ") && printed.contains("VIEW IF NOT EXISTS `\(fixture.database)`.`by_name`"))
        try fixture.server.query("ALTER TABLE \(fixture.database).clicks ADD COLUMN rate Float64")
        _ = try sink(fixture)
        #expect(try fixture.server.rows("SELECT count() FROM \(fixture.database).by_rate") == [["0"]], "the next start creates it")
    }

    @Test("A job starts although the server refuses a view", arguments: ServerVersion.allCases)
    func refusedViews(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        // No file can be called so.
        let name = String(repeating: "v", count: 300)
        let refused = OutputView(name, of: ViewTests.clicks, by: .column("page"), measuring: [.count("rows")])
        try sink(fixture, [refused] + ViewTests.all).deliver(SinkBatch(ViewTests.clicks, number: 1, rows: ViewTests.rows))
        try checkAll(fixture)
        #expect(fixture.log.text.contains("warning: the view \(fixture.database).\(name) is not created"))
    }

    @Test("What has a view's name already is left alone", arguments: ServerVersion.allCases)
    func existingViews(version: ServerVersion) throws {
        let fixture = try SinkFixture(version, createDatabase: true)
        try fixture.server.query("CREATE VIEW \(fixture.database).by_kind AS SELECT 'mine' AS kind")
        try fixture.server.query("CREATE TABLE \(fixture.database).by_name (name String) ENGINE = Memory")
        let outcomes = try ClickHouseSink(fixture.settings(), views: ViewTests.all, log: fixture.log.logger).createTables([ViewTests.clicks]
        )
        #expect(outcomes.filter { $0.what == .wasThere }.map(\.name) == ["by_kind", "by_name"])
        #expect(try fixture.server.rows("SELECT * FROM \(fixture.database).by_kind") == [["mine"]])
        #expect(
            try fixture.server.rows("SELECT engine FROM system.tables WHERE database = '\(fixture.database)' AND name = 'by_name'") == [
                ["Memory"]
            ])
    }

    @Test("The statements that are printed create the same views", arguments: ServerVersion.allCases)
    func printedStatements(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let script = try ClickHouseSink(fixture.settings(), views: ViewTests.all, log: fixture.log.logger).createStatements([
            ViewTests.clicks
        ])
        for statement in script.split(separator: ";\n").filter({ $0.contains("CREATE") }) { try fixture.server.query(String(statement)) }
        try sink(fixture, []).deliver(SinkBatch(ViewTests.clicks, number: 1, rows: ViewTests.rows))
        try checkAll(fixture)
    }
}
