import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

/// A value, the type of the real column that takes it, and what the column then shows as tab-separated text.
private struct Case {
    let value: TestValue
    let type: String
    let shown: String
    /// What 18.16 shows, when it shows something else: it keeps the zeros of decimals.
    var shownBefore: String?
}

private let time: Int64 = 1_705_314_030_123

/// Types that every served version has.
private let commonCases: [Case] = [
    Case(value: .text("größe\t'x'"), type: "String", shown: #"größe\t\'x\'"#),
    Case(value: .text(""), type: "Nullable(String)", shown: ""),
    Case(value: .text("n"), type: "Nullable(String)", shown: "n"),
    Case(value: .count(.max), type: "UInt64", shown: "18446744073709551615"),
    Case(value: .count(4_294_967_295), type: "UInt32", shown: "4294967295"),
    Case(value: .count(65_535), type: "UInt16", shown: "65535"),
    Case(value: .count(255), type: "UInt8", shown: "255"),
    Case(value: .count(9_223_372_036_854_775_807), type: "Int64", shown: "9223372036854775807"),
    Case(value: .count(2_147_483_647), type: "Int32", shown: "2147483647"),
    Case(value: .count(7), type: "Nullable(UInt32)", shown: "7"),
    Case(value: .count(9_007_199_254_740_992), type: "Float64", shown: "9007199254740992", shownBefore: "9007199254740992"),
    Case(value: .count(16_777_216), type: "Float32", shown: "16777216"),
    Case(value: .count(7), type: "Decimal(18, 2)", shown: "7", shownBefore: "7.00"),
    Case(value: .count(7), type: "Decimal(20, 0)", shown: "7"),
    Case(value: .number(-0.1), type: "Float64", shown: "-0.1"),
    Case(value: .number(2.5), type: "Float32", shown: "2.5"),
    Case(value: .flag(true), type: "UInt8", shown: "1"),
    Case(value: .flag(true), type: "UInt64", shown: "1"),
    Case(value: .flag(false), type: "Int8", shown: "0"),
    Case(value: .time(time), type: "DateTime('UTC')", shown: "2024-01-15 10:20:30"),
    Case(value: .time(time), type: "DateTime", shown: "2024-01-15 10:20:30"),
    Case(value: .time(time), type: "DateTime('Europe/Berlin')", shown: "2024-01-15 11:20:30"),
    Case(value: .amount(-1205), type: "Decimal(18, 2)", shown: "-12.05"),
    Case(value: .amount(1234), type: "Decimal(9, 4)", shown: "12.34", shownBefore: "12.3400"),
    Case(value: .amount(1234), type: "Nullable(Decimal(38, 2))", shown: "12.34"),
    Case(value: .sum(-170_141_183_460_469_231_731_687_303_715), type: "Decimal(38, 2)", shown: "-1701411834604692317316873037.15"),
    Case(value: .sum(99_999_999), type: "Decimal(18, 10)", shown: "999999.99", shownBefore: "999999.9900000000"),
    Case(value: .textCounts([("b", 2), ("a\"\n", 1)]), type: "String", shown: #"{"a\\"\\u000a":1,"b":2}"#),
    Case(value: .textCounts([]), type: "String", shown: "{}"),
    Case(value: .texts(["one", "", "it's"]), type: "Array(String)", shown: #"['one','','it\'s']"#),
    Case(value: .texts([]), type: "Array(String)", shown: "[]"),
]

/// Types that only newer servers have.
private let newerCases: [Case] = [
    Case(value: .text("low"), type: "LowCardinality(String)", shown: "low"),
    Case(value: .text("both"), type: "LowCardinality(Nullable(String))", shown: "both"),
    Case(value: .texts(["low"]), type: "Array(LowCardinality(String))", shown: "['low']"),
    Case(value: .flag(true), type: "Bool", shown: "true"),
    Case(value: .time(time), type: "DateTime64(3, 'UTC')", shown: "2024-01-15 10:20:30.123"),
    Case(value: .time(time), type: "DateTime64(0, 'UTC')", shown: "2024-01-15 10:20:30"),
    Case(value: .time(time), type: "DateTime64(6, 'Asia/Tokyo')", shown: "2024-01-15 19:20:30.123000"),
    Case(value: .time(-1), type: "DateTime64(9, 'UTC')", shown: "1969-12-31 23:59:59.999000000"),
    Case(value: .time(-1), type: "DateTime64(1, 'UTC')", shown: "1969-12-31 23:59:59.9"),
    Case(value: .textCounts([("b", 2), ("a", 1)]), type: "Map(String, UInt32)", shown: "{'b':2,'a':1}"),
    Case(value: .textCounts([]), type: "Map(String, UInt32)", shown: "{}"),
    Case(value: .textCounts([("b", .max)]), type: "Map(LowCardinality(String), UInt64)", shown: "{'b':4294967295}"),
    Case(value: .time(time), type: "Nullable(DateTime64(3, 'UTC'))", shown: "2024-01-15 10:20:30.123"),
]

@Suite("Encoding for the real columns", .servers(.debian1816, .engine269))
struct EncodingTests {
    /// Every column is checked with the same row in front and behind, so that a shifted column shows.
    @Test(arguments: ServerVersion.allCases)
    func everyServedTypeShowsTheValueThatWasSent(version: ServerVersion) throws {
        let fixture = try SinkFixture(version, createDatabase: true)
        let cases = version == .debian1816 ? commonCases : commonCases + newerCases
        let columns = [OutputColumn("seenAt", .time)] + cases.enumerated().map { OutputColumn("c\($0)", $1.value.type) }
        let table = OutputTable("every", timeColumn: "seenAt", orderBy: ["seenAt"], columns: columns)
        let real = cases.enumerated().map { "c\($0) \($1.type)" }.joined(separator: ", ")
        try fixture.server.query(
            """
            CREATE TABLE \(fixture.database).every (seenAt DateTime('UTC'), \(real), _task String, _lineage UInt32, _batch UInt64, _row UInt32)
            ENGINE = MergeTree PARTITION BY toYYYYMM(seenAt) ORDER BY seenAt
            """
        )
        let row: [TestValue] = [.time(time)] + cases.map(\.value)
        try fixture.sink(table).deliver(SinkBatch(table, number: 1, rows: [row, row, row]))
        for (index, expected) in cases.enumerated() {
            let shown = try fixture.server.rows("SELECT c\(index) FROM \(fixture.database).every WHERE _row < 3").map { $0[0] }
            let one = version == .debian1816 ? expected.shownBefore ?? expected.shown : expected.shown
            let wanted = one.isEmpty ? [] : [String](repeating: one, count: 3)
            #expect(shown == wanted, "\(expected.value) as \(expected.type)")
        }
        let provenance = try fixture.server.rows("SELECT _task, _lineage, _batch, _row FROM \(fixture.database).every ORDER BY _row")
        #expect(provenance == (0..<3).map { ["waves/clickhouse", "1", "1", String($0)] })
    }

    @Test("One INSERT is one block, however many rows it has", arguments: ServerVersion.allCases)
    func aLargeBatchIsOnePart(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let sink = try fixture.sink(Waves.table)
        let rows = (0..<300_000).map { Waves.row("wave \($0 % 1000)", height: Int64($0)) }
        try sink.deliver(SinkBatch(Waves.table, number: 1, chunkRows: 20_000, rows: rows))
        let found = try fixture.server.rows(
            "SELECT count(), uniqExact(_row), max(_row), sum(height) = 449998500 FROM \(fixture.database).waves")
        #expect(found == [["300000", "300000", "299999", "1"]])
        let parts = try fixture.server.rows("SELECT count() FROM system.parts WHERE database = '\(fixture.database)' AND table = 'waves'")
        #expect(parts == [["1"]])
    }
}
