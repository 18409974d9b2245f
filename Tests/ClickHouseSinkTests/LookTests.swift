import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("A look at the tables says what a start would find, and leaves nothing behind", .servers(.debian1816, .engine269))
struct LookTests {
    private func look(
        _ fixture: SinkFixture, lastFrozen: UInt64? = nil, comparesLedger: Bool = false, rollsBack: Bool = false,
        _ change: (inout ClickHouseSettings) -> Void = { _ in }
    ) throws -> TableReport {
        var settings = fixture.settings()
        change(&settings)
        let known = SinkTable(table: Waves.table, lineage: .first, lastFrozen: lastFrozen.map { BatchNumber($0) }, isNewState: false)
        let reports = try ClickHouseSink(settings, log: fixture.log.logger).look(
            at: [known], for: StartIntent(comparesLedger: comparesLedger, rollsBack: rollsBack))
        return try #require(reports.first)
    }

    private func error(_ report: TableReport) -> SinkError? { if case .unfit(let error) = report.standing { error } else { nil } }

    @Test(arguments: ServerVersion.allCases)
    func beforeATableIsThereAndAfterIt(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let before = try look(fixture)
        guard case .absent = before.standing else {
            Issue.record("\(before)")
            return
        }
        #expect(error(try look(fixture) { $0.createTables = false })?.kind == .missing)
        #expect(try fixture.server.rows("SELECT name FROM system.databases WHERE name = '\(fixture.database)'") == [])

        try fixture.sink(Waves.table).deliver(Waves.batch(1))
        let parts = "SELECT count() FROM system.parts WHERE database = '\(fixture.database)'"
        let written = try fixture.server.rows(parts)
        let after = try look(fixture, lastFrozen: 1, comparesLedger: true)
        guard case .fits(.month) = after.standing else {
            Issue.record("\(after)")
            return
        }
        #expect(try fixture.server.rows(parts) == written && fixture.delivered() == Waves.rows(1))
        // Beside a worker that runs, the table is ahead of what is known.
        #expect(error(try look(fixture, comparesLedger: true))?.message.contains("older than what was delivered") == true)
        #expect(!(try look(fixture, comparesLedger: false)).isUnfit)
    }

    @Test(arguments: ServerVersion.allCases)
    func everyProblemComesWithWhatToDo(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        _ = try fixture.sink(Waves.table)
        try fixture.server.query("ALTER TABLE \(fixture.database).waves DROP COLUMN height")
        try fixture.server.query("ALTER TABLE \(fixture.database).waves ADD COLUMN extra String")
        let report = try look(fixture)
        #expect(report.isUnfit && report.lines.count == 2, "\(report)")
        for line in report.lines { try fixture.server.query(String(line[try #require(line.firstRange(of: "ALTER TABLE")).lowerBound...])) }
        #expect(!(try look(fixture)).isUnfit)
    }

    /// Debian's server has a user that may only read; today's has grants.
    @Test func aUserThatMayOnlyReadIsFoundOut() throws {
        let fixture = try SinkFixture(.debian1816)
        let absent = error(try look(fixture) { $0.user = "watcher" })
        #expect(absent?.kind == .denied && absent?.message.contains("GRANT CREATE TABLE ON") == true, "\(String(describing: absent))")
        _ = try fixture.sink(Waves.table)
        let present = error(try look(fixture) { $0.user = "watcher" })
        #expect(
            present?.kind == .denied && present?.message.contains("GRANT INSERT ON") == true
                && present?.message.contains("readonly") == true, "\(String(describing: present))")
    }

    @Test func aServerThatIsAwayIsAnError() throws {
        let fixture = try SinkFixture(.debian1816)
        let failure = #expect(throws: SinkError.self) { try look(fixture) { $0.url = "http://127.0.0.1:\(freePort())" } }
        #expect(failure?.kind == .retry)
    }

    /// What a server of today answers to a user without grants, as far as the two questions go.
    @Test func rightsThatWereNotGrantedAreNamed() throws {
        let fixture = try SinkFixture(.engine269)
        let refusing = try ScriptedHTTPServer { request in
            let sql = String(decoding: request.body, as: UTF8.self)
            let answer = sql.hasPrefix("CHECK GRANT") ? "0\n" : (try? fixture.server.query(sql)) ?? ""
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
        }
        let absent = error(try look(fixture) { $0.url = "http://127.0.0.1:\(refusing.port)" })
        #expect(
            absent?.kind == .denied && absent?.message.contains("GRANT CREATE TABLE ON `\(fixture.database)`.`waves` TO `default`") == true,
            "\(String(describing: absent))")
    }

    @Test func aDatabaseThatTheUserMayNotCreateIsFoundOut() throws {
        let fixture = try SinkFixture(.engine269)
        let refusing = try ScriptedHTTPServer { request in
            let sql = String(decoding: request.body, as: UTF8.self)
            let answer = sql.hasPrefix("CHECK GRANT CREATE DATABASE") ? "0\n" : (try? fixture.server.query(sql)) ?? ""
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
        }
        let absent = error(try look(fixture) { $0.url = "http://127.0.0.1:\(refusing.port)" })
        #expect(
            absent?.kind == .denied && absent?.message.contains("GRANT CREATE DATABASE ON `\(fixture.database)`.* TO `default`") == true,
            "\(String(describing: absent))")
    }

    @Test func aRollbackThatTheUserMayNotDoIsFoundOut() throws {
        let fixture = try SinkFixture(.engine269)
        _ = try fixture.sink(Waves.table)
        #expect(!(try look(fixture, rollsBack: true)).isUnfit)
        // As above, of the one question that matters; the INSERT of no row comes in the address.
        let refusing = try ScriptedHTTPServer { request in
            let sql = String(decoding: request.body, as: UTF8.self)
            let answer =
                sql.hasPrefix("CHECK GRANT ALTER DELETE")
                ? "0\n" : request.head.contains("INSERT") ? "" : (try? fixture.server.query(sql)) ?? ""
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
        }
        let found = error(try look(fixture, rollsBack: true) { $0.url = "http://127.0.0.1:\(refusing.port)" })
        #expect(found?.kind == .denied && found?.message.contains("GRANT ALTER DELETE ON") == true, "\(String(describing: found))")
        // A start that rolls back nothing goes on without it, and says so.
        let told = try look(fixture) { $0.url = "http://127.0.0.1:\(refusing.port)" }
        #expect(!told.isUnfit && told.notices.contains { $0.contains("GRANT ALTER DELETE ON") }, "\(told)")
    }
}
