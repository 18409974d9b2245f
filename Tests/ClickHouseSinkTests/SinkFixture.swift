import CurlHTTP
import Engine
import Foundation
import TestSupport

@testable import ClickHouseSink

/// A database of a test's own on one of the servers, and what delivers to it.
struct SinkFixture {
    let server: any TestClickHouse
    let database: String
    let log = RecordedLog()

    init(_ version: ServerVersion, createDatabase: Bool = false) throws {
        server = Servers[version]
        database = "test_" + UUID().uuidString.prefix(8).lowercased()
        if createDatabase { try server.query("CREATE DATABASE \(database)") }
    }

    /// The job `waves` with waits short enough for tests.
    func settings(url: String? = nil, resolveDelay: Duration = .milliseconds(300)) -> ClickHouseSettings {
        var settings = ClickHouseSettings(url: url ?? server.url, job: "waves")
        settings.database = database
        settings.resolveDelay = resolveDelay
        settings.insertTimeout = .seconds(20)
        settings.recheckInterval = .milliseconds(100)
        settings.retryPause = .milliseconds(20)
        settings.retryPauseLimit = .milliseconds(200)
        return settings
    }

    /// A sink that has opened `table`.
    func sink(
        _ table: OutputTable, settings: ClickHouseSettings? = nil, lastFrozen: UInt64? = nil, lineage: UInt32 = 1, isNewState: Bool = false,
        stateIdentity: String = "", ends: [LineageEnd]? = nil
    ) throws -> ClickHouseSink {
        let sink = try ClickHouseSink(settings ?? self.settings(), log: log.logger)
        _ = try sink.open([
            SinkTable(
                table: table, lineage: Lineage(lineage), lastFrozen: lastFrozen.map { BatchNumber($0) }, isNewState: isNewState,
                stateIdentity: stateIdentity, lineageEnds: ends)
        ])
        return sink
    }

    /// Runs a query under the batch's name that would take minutes; returns once the server shows it.
    func occupy(_ batch: SinkBatch) throws {
        let name = BatchName(settings(), batch).queryID
        let url = "\(server.url)/?query_id=\(name.percentEncoded())"
        Thread {
            let sql = [UInt8]("SELECT count() FROM system.numbers WHERE sipHash64(number) = 1".utf8)
            // Its end, by a kill, is an error that says nothing to the test.
            _ = sql.withUnsafeBytes { body in
                try? HTTPClient().perform(HTTPRequest(.post, url: url, totalTimeout: .seconds(100)), body: body)
            }
        }.start()
        try waitUntil("it runs") { try server.rows("SELECT count() FROM system.processes WHERE query_id = '\(name)'") == [["1"]] }
    }

    /// `_batch`, `_row` and `name` of every row of the table `waves`, in order.
    func delivered() throws -> [[String]] {
        try server.rows("SELECT _batch, _row, name FROM \(database).waves ORDER BY _lineage, _batch, _row")
    }
}

extension ClickHouseSink {
    @discardableResult
    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool = false) throws -> DeliveryOutcome {
        try deliver(batch, mayHaveBeenSent: mayHaveBeenSent, isCancelled: { false })
    }
}

/// A small table with names and times.
enum Waves {
    static let table = OutputTable(
        "waves", timeColumn: "seenAt", orderBy: ["name", "seenAt"],
        columns: [OutputColumn("name", .text), OutputColumn("seenAt", .time), OutputColumn("height", .amount)]
    )

    /// 2024-01-15 10:20:30.123 UTC
    static let time: Int64 = 1_705_314_030_123

    static func row(_ name: String, at time: Int64 = Waves.time, height: Int64 = 1234) -> [TestValue] {
        [.text(name), .time(time), .amount(height)]
    }

    /// A batch of rows with these names.
    static func batch(_ number: UInt64, _ names: [String] = ["a", "b", "c", "d", "e"], lineage: UInt32 = 1) -> SinkBatch {
        SinkBatch(table, number: number, lineage: lineage, rows: names.map { row($0) })
    }

    /// What `SinkFixture.delivered` gives for the batch.
    static func rows(_ number: UInt64, _ names: [String] = ["a", "b", "c", "d", "e"]) -> [[String]] {
        names.enumerated().map { [String(number), String($0), $1] }
    }
}
