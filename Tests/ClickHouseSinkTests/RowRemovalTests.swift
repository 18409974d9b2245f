import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("What the server takes out of a table by itself does not stop the job", .servers(.engine269))
struct RowRemovalTests {
    /// The rows of `Waves` are of January 2024.
    private func fixture(_ clause: String, column: String = "") throws -> (SinkFixture, FaultProxy, ClickHouseSink) {
        let fixture = try SinkFixture(.engine269, createDatabase: true)
        try fixture.server.query(
            """
            CREATE TABLE \(fixture.database).waves (name String \(column), seenAt DateTime64(3, 'UTC'), height Decimal(18, 2),
            _task String, _lineage UInt32, _batch UInt64, _row UInt32)
            ENGINE = MergeTree PARTITION BY toYYYYMM(seenAt) ORDER BY seenAt \(clause)
            """)
        let proxy = try FaultProxy(to: fixture.server.port)
        return (fixture, proxy, try fixture.sink(Waves.table, settings: fixture.settings(url: proxy.url)))
    }

    /// When the server expires the rows is its own affair: a count may still find them.
    @Test func aTTLThatExpiresRowsAndLostAnswers() throws {
        let (fixture, proxy, sink) = try fixture("TTL toDateTime(seenAt) + INTERVAL 7 DAY")
        for batch in UInt64(1)...3 {
            proxy.meet([.dropAnswer])
            #expect(try sink.deliver(Waves.batch(batch)) == .delivered)
        }
        try fixture.server.query("OPTIMIZE TABLE \(fixture.database).waves FINAL")
        try waitUntil("the server has expired them") { try fixture.delivered().isEmpty }
        #expect(sink.status.first?.lastBatch == 3 && sink.status.first?.state == .idle)
    }

    @Test func whatATTLMayHaveTakenIsToldOnceAndCounted() throws {
        let (fixture, proxy, sink) = try fixture("TTL toDateTime(seenAt) + INTERVAL 50 YEAR")
        for batch in UInt64(1)...2 { try sink.deliver(Waves.batch(batch)) }
        try fixture.server.query("ALTER TABLE \(fixture.database).waves DELETE WHERE _row = 1")
        try waitUntil("two rows are gone") { try fixture.delivered().count == 8 }
        for batch in UInt64(1)...2 { #expect(try sink.deliver(Waves.batch(batch), mayHaveBeenSent: true) == .delivered) }
        #expect(try fixture.delivered().count == 8, "nothing is sent again")
        #expect(sink.status.first?.batchesUncounted == 2)
        let told = fixture.log.text.split(separator: "\n").filter { $0.contains("takes rows out of the table") }
        #expect(
            told.count == 1 && told[0].contains("4 of its 5 rows")
                && told[0].contains("the table's TTL (toDateTime(seenAt) + toIntervalYear(50))"), "\(told)")
        withExtendedLifetime(proxy) {}
    }

    /// A TTL of a column empties values, and one that moves keeps rows: rows that are gone all the same were taken by somebody.
    @Test(arguments: [("", ""), ("", "TTL toDateTime(seenAt) + INTERVAL 7 DAY"), ("SETTINGS index_granularity = 100", "")])
    func withoutACauseItRemainsAnError(clause: String, column: String) throws {
        let (fixture, proxy, sink) = try fixture(clause, column: column)
        try sink.deliver(Waves.batch(1))
        try fixture.server.query("ALTER TABLE \(fixture.database).waves DELETE WHERE _batch = 1 AND _row = 1")
        try waitUntil("the row is gone") { try fixture.delivered().count == 4 }
        let error = #expect(throws: SinkError.self) { try sink.deliver(Waves.batch(1), mayHaveBeenSent: true) }
        #expect(error?.message.contains("tidemark resolve") == true)
        // The sink's way to the server.
        withExtendedLifetime(proxy) {}
    }

    @Test func whatDeletesIsToldFromWhatDoesNot() {
        let start = "CREATE TABLE d.t (`a TTL x` String TTL b, b DateTime DEFAULT ' ENGINE = TTL ') ENGINE = MergeTree ORDER BY tuple()"
        for (clause, found) in [
            ("", nil), (" SETTINGS index_granularity = 8192", nil), (" TTL b + toIntervalDay(1) SETTINGS a = 1", "b + toIntervalDay(1)"),
            (" TTL b + toIntervalDay(1) TO VOLUME 'cold'", nil), (" TTL b TO DISK 'a', b + 1 RECOMPRESS CODEC(ZSTD(17))", nil),
            (" TTL b TO DISK 'a', greatest(b, c) DELETE", "b TO DISK , greatest(b, c) DELETE"), (" COMMENT ' TTL b'", nil),
            (" TTL b GROUP BY a SET c = sum(c)", nil),
        ] as [(String, String?)] {
            #expect(RowRemoval.timeToLive(in: start + clause) == found, "\(clause)")
        }
    }
}
