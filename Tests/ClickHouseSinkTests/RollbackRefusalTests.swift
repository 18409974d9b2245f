import Engine
import Foundation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("A rollback that can't be done says what to do", .servers(.debian1816, .engine269))
struct RollbackRefusalTests {
    /// The error of a rollback that can't be done.
    private func refusal(_ fixture: RollbackFixture) -> SinkError? {
        #expect(throws: SinkError.self) { try fixture.rollBack() }
    }

    @Test("A user who may not delete is told the GRANT")
    func deniedByGrants() throws {
        var fixture = try RollbackFixture(.engine269)
        let server = fixture.server
        let answering = try ScriptedHTTPServer { request in
            let sql = String(decoding: request.body, as: UTF8.self)
            let denial = "Code: 497. DB::Exception: default: Not enough privileges. (ACCESS_DENIED)"
            if sql.hasPrefix("ALTER") {
                return .bytes(
                    "HTTP/1.1 403 Forbidden\r\nX-ClickHouse-Exception-Code: 497\r\nContent-Length: \(denial.utf8.count)\r\n\r\n\(denial)")
            }
            guard let text = try? server.query(sql) else { return .close }
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        fixture.settings = fixture.sinks.settings(url: "http://127.0.0.1:\(answering.port)")
        let error = refusal(fixture)
        #expect(error?.kind == .denied)
        #expect(error?.message.contains("GRANT ALTER DELETE ON `\(fixture.sinks.database)`.`waves` TO `default`") == true)
    }

    @Test func deniedByProfile() throws {
        var fixture = try RollbackFixture(.debian1816)
        fixture.settings.user = "watcher"
        let error = refusal(fixture)
        #expect(error?.kind == .denied)
        #expect(error?.message.contains("take the user's profile off readonly") == true)
        #expect(try fixture.batches().count == 7)
    }

    @Test(
        "An engine without mutations: the statement for where the rows lie is told, and once it is run the start goes on",
        arguments: ServerVersion.allCases)
    func engineWithoutMutations(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        let place = fixture.sinks.database
        try fixture.server.query("RENAME TABLE \(place).waves TO \(place).sea")
        try fixture.server.query(
            "CREATE TABLE \(place).waves AS \(place).sea ENGINE = Buffer(\(place), sea, 1, 100, 100, 1000, 1000, 1000000, 1000000)")
        let error = refusal(fixture)
        #expect(error?.kind == .incompatible)
        let deletion =
            "ALTER TABLE `\(place)`.`waves` DELETE WHERE _task = 'waves/clickhouse' AND _lineage < 3 AND NOT ((_lineage = 1 AND _batch <= 2) OR (_lineage = 2 AND _batch <= 1))"
        for text in ["engine Buffer can't delete rows", deletion] { #expect(error?.message.contains(text) == true, "\(text)") }
        try fixture.server.query(deletion.replacing("`waves`", with: "`sea`"))
        try waitUntil("the rows are gone") { try fixture.batches() == RollbackFixture.remaining }
        #expect(try fixture.rollBack() == .rolledBack(rowsPerTable: ["waves": 0]))
    }

    @Test("A mutation that fails, or makes no progress, stops with its reason and the way to end it", arguments: ServerVersion.allCases)
    func failingMutation(version: ServerVersion) throws {
        var fixture = try RollbackFixture(version)
        fixture.settings.mutationFailurePatience = .milliseconds(300)
        if version == .debian1816 { fixture.settings.mutationStallLimit = .milliseconds(600) }
        let failing = "ALTER TABLE \(fixture.table) DELETE WHERE _task = 'waves/clickhouse' AND throwIf(_batch = 3)"
        try fixture.server.query(failing, settings: version == .engine269 ? "mutations_sync=0" : "")
        let error = refusal(fixture)
        #expect(error?.kind == .invalid)
        let expected =
            version == .engine269
            ? ["KILL MUTATION WHERE", "throwIf", "fails"] : ["DETACH the table, delete the file mutation_", "has finished no part"]
        for text in expected { #expect(error?.message.contains(text) == true, "\(text) in \(error?.message ?? "")") }
        #expect(try fixture.mutations() == 1)
        guard version == .engine269 else { return }
        try fixture.server.query("KILL MUTATION WHERE database = '\(fixture.sinks.database)'")
        #expect(try fixture.rollBack() == .rolledBack(rowsPerTable: ["waves": RollbackFixture.rolledBackRows]))
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }

    @Test("Queries of an earlier lineage are waited for and killed when stuck; the present lineage's are left alone")
    func queriesOfEarlierLineages() throws {
        var fixture = try RollbackFixture(.debian1816)
        fixture.settings.killAfter = .milliseconds(300)
        try fixture.sinks.occupy(Waves.batch(2, lineage: 3))
        #expect(try fixture.rollBack() == .rolledBack(rowsPerTable: ["waves": RollbackFixture.rolledBackRows]))
        #expect(!fixture.sinks.log.text.contains("killing it"))
        let own = BatchName(fixture.settings, Waves.batch(2, lineage: 3)).queryID
        #expect(try fixture.server.rows("SELECT count() FROM system.processes WHERE query_id = '\(own)'") == [["1"]])
        try fixture.server.query("KILL QUERY WHERE query_id = '\(own)' ASYNC")
        try fixture.sinks.occupy(Waves.batch(9, lineage: 2))
        try fixture.rollBack()
        #expect(fixture.sinks.log.text.contains("killing it"))
    }

    @Test("A worker of an earlier lineage that goes on is told of, and nothing is rolled back")
    func anotherWorkerIsAlive() throws {
        var fixture = try RollbackFixture(.debian1816)
        fixture.settings.otherWorkerPatience = .milliseconds(500)
        let stuck = Waves.batch(9, lineage: 1)
        try fixture.sinks.occupy(stuck)
        let error = refusal(fixture)
        #expect(error?.kind == .locked)
        #expect(error?.message.contains("a worker of the job is still running elsewhere") == true)
        #expect(try fixture.batches().count == 7)
        try fixture.server.query("KILL QUERY WHERE query_id = '\(BatchName(fixture.settings, stuck).queryID)' ASYNC")
    }
}
