import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

/// A table that can't take the rows of `Waves.table`, and what the error has to say.
struct BadTable: Sendable {
    var name = "name String"
    var seenAt = "seenAt DateTime('UTC')"
    var height = "height Decimal(18, 2)"
    var more = ""
    var provenance = "_task String, _lineage UInt32, _batch UInt64, _row UInt32"
    var engine = "MergeTree"
    var key = "PARTITION BY toYYYYMM(seenAt) ORDER BY seenAt"
    var version = ServerVersion.engine269
    var kind = FailureKind.invalid
    let says: [String]

    func statement(_ database: String) -> String {
        let columns = [name, seenAt, height, more, provenance].filter { !$0.isEmpty }.joined(separator: ", ")
        return "CREATE TABLE \(database).waves (\(columns)) ENGINE = \(engine) \(key)"
    }
}

private let badTables: [BadTable] = [
    BadTable(height: "", says: ["the column height is missing", "ADD COLUMN `height` Decimal(18, 2)"]),
    BadTable(provenance: "_task String, _lineage UInt32, _batch UInt64", says: ["the column _row is missing", "ADD COLUMN `_row` UInt32"]),
    BadTable(height: "height Float64", says: ["height is Float64", "money", "MODIFY COLUMN `height` Decimal(18, 2)"]),
    BadTable(height: "height Decimal(18, 1)", says: ["height is Decimal(18, 1)", "two decimals"]),
    BadTable(name: "name FixedString(8)", says: ["name is FixedString(8)", "texts of any length", "MODIFY COLUMN `name` String"]),
    BadTable(height: "height Decimal(18, 2) MATERIALIZED 1", says: ["height is MATERIALIZED"]),
    BadTable(height: "height Decimal(18, 2) ALIAS 1", says: ["height is ALIAS"]),
    BadTable(more: "extra String", says: ["extra (String)", "no default", "MODIFY COLUMN `extra` String DEFAULT"]),
    BadTable(height: "height UInt8", more: "extra String", says: ["extra", "height is UInt8"]),
    BadTable(engine: "ReplacingMergeTree", kind: .incompatible, says: ["its engine is ReplacingMergeTree", "at-least-once"]),
    BadTable(engine: "Null", key: "", kind: .incompatible, says: ["its engine is Null"]),
    BadTable(
        key: "PARTITION BY name ORDER BY seenAt", kind: .incompatible, says: ["its partition key is name", "toYYYYMM", "at-least-once"]),
    BadTable(key: "PARTITION BY toHour(seenAt) ORDER BY seenAt", kind: .incompatible, says: ["toHour(seenAt)"]),
    BadTable(
        more: "other DateTime('UTC') DEFAULT 0", key: "PARTITION BY toYYYYMM(other) ORDER BY seenAt", kind: .incompatible,
        says: ["toYYYYMM(other)"]),
    BadTable(seenAt: "seenAt DateTime('Europe/Berlin')", kind: .incompatible, says: ["time zone Europe/Berlin", "UTC"]),
    BadTable(height: "height String", version: .debian1816, says: ["height is String", "ALTER TABLE"]),
    BadTable(
        name: "name LowCardinality(String)", version: .debian1816, says: ["LowCardinality(String)", "18.16", "MODIFY COLUMN `name` String"]),
    BadTable(engine: "SummingMergeTree()", version: .debian1816, kind: .incompatible, says: ["its engine is SummingMergeTree"]),
]

@Suite("Tables that can't take the rows are refused before the first one", .servers(.debian1816, .engine269))
struct RefusalTests {
    @Test(arguments: badTables.indices)
    func badTable(index: Int) throws {
        let bad = badTables[index]
        let fixture = try SinkFixture(bad.version, createDatabase: true)
        try fixture.server.query(
            bad.statement(fixture.database), settings: bad.version == .debian1816 ? "allow_experimental_low_cardinality_type=1" : ""
        )
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table) }
        #expect(error?.kind == bad.kind)
        for text in bad.says + ["\(fixture.database).waves"] {
            #expect(error?.message.contains(text) == true, "\(text) in: \(error?.message ?? "")")
        }
    }

    @Test(arguments: [
        "", "PARTITION BY toYYYYMM(seenAt)", "PARTITION BY toYYYYMMDD(seenAt)", "PARTITION BY toDate(seenAt)",
        "PARTITION BY toMonday(seenAt)",
    ])
    func servedPartitionKeys(key: String) throws {
        for version in ServerVersion.allCases {
            let fixture = try SinkFixture(version, createDatabase: true)
            try fixture.server.query(BadTable(key: "\(key) ORDER BY seenAt", says: []).statement(fixture.database))
            let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
            let partitionings = try sink.open([SinkTable(table: Waves.table, lineage: .first, lastFrozen: nil, isNewState: false)])
            let partitioning = try #require(partitionings["waves"])
            // A Monday, a Sunday and a new year, each a batch by itself where the key says so.
            for (index, day) in [19_723, 19_729, 19_730, 19_722].enumerated() {
                let row = Waves.row("d\(day)", at: Int64(day) * 86_400_000 + 1)
                try sink.deliver(SinkBatch(Waves.table, number: UInt64(index + 1), partitioning: partitioning, rows: [row, row]))
                try sink.deliver(
                    SinkBatch(Waves.table, number: UInt64(index + 1), partitioning: partitioning, rows: [row, row]), mayHaveBeenSent: true)
            }
            #expect(try fixture.delivered().count == 8)
            let parts = try fixture.server.rows(
                "SELECT uniqExact(partition) FROM system.parts WHERE database = '\(fixture.database)' AND active")
            let expected: [RowPartitioning: String] = [.none: "1", .month: "2", .week: "3", .day: "4"]
            #expect(parts == [[expected[partitioning]!]])
        }
    }

    @Test(
        "at-least-once accepts what can't be exactly-once",
        arguments: [(ServerVersion.engine269, "ReplacingMergeTree ORDER BY name"), (.debian1816, "Null")])
    func atLeastOnce(version: ServerVersion, engine: String) throws {
        let fixture = try SinkFixture(version, createDatabase: true)
        try fixture.server.query(BadTable(engine: engine, key: "", says: []).statement(fixture.database))
        let proxy = try FaultProxy(to: fixture.server.port)
        var settings = fixture.settings(url: proxy.url)
        settings.delivery = .atLeastOnce
        let sink = try fixture.sink(Waves.table, settings: settings)
        proxy.meet([.cutBody, .answerItself(status: 500)])
        #expect(try sink.deliver(Waves.batch(1)) == .delivered)
        #expect(proxy.chosenSeen == 3)
        #expect(fixture.log.text.contains("may land more than once"))
    }

    @Test(arguments: ServerVersion.allCases)
    func missingTable(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        var settings = fixture.settings()
        settings.createTables = false
        let error = #expect(throws: SinkError.self) { try fixture.sink(Waves.table, settings: settings) }
        #expect(error?.kind == .missing)
        #expect(error?.message.contains("clickhouse.createTables") == true)
    }

    @Test func nobodyThere() throws {
        let fixture = try SinkFixture(.engine269)
        let error = #expect(throws: SinkError.self) {
            try fixture.sink(Waves.table, settings: fixture.settings(url: "http://127.0.0.1:\(freePort())"))
        }
        #expect(error?.kind == .retry)
    }
}
