import Engine
import Foundation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("After a lost disk the rows beyond the checkpoint are rolled back, and no others", .servers(.debian1816, .engine269))
struct RollbackTests {
    private let done = RollbackOutcome.rolledBack(rowsPerTable: ["waves": RollbackFixture.rolledBackRows])
    private let nothing = RollbackOutcome.rolledBack(rowsPerTable: ["waves": 0])

    @Test(
        "Rows that the state does not count vanish; those that it counts and another job's stay; again changes nothing",
        arguments: ServerVersion.allCases)
    func onlyWhatDoesNotCount(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        var other = fixture.settings
        other.job = "ripples"
        try fixture.sinks.sink(Waves.table, settings: other, lineage: 2).deliver(Waves.batch(3, lineage: 2))
        #expect(try fixture.rollBack() == done)
        #expect(try fixture.batches() == RollbackFixture.remaining)
        #expect(try fixture.batches(job: "ripples") == [["2", "3", "5"]])
        #expect(try fixture.rollBack() == nothing)
        #expect(try fixture.rollBack(.again) == nothing)
        #expect(try fixture.mutations() == 1, "where nothing is to be rolled back, nothing is deleted")
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }

    @Test(
        "Of a table that the state did not know nothing of the earlier lineages stays; one that is not there holds nothing",
        arguments: ServerVersion.allCases)
    func unknownTables(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        let absent = OutputTable("ripples", timeColumn: "seenAt", orderBy: ["seenAt"], columns: [OutputColumn("seenAt", .time)])
        let plan = RollbackPlan(stage: .due, lineage: Lineage(3), tables: [:])
        let outcome = try ClickHouseSink(fixture.settings, log: fixture.sinks.log.logger).rollBack(
            plan, from: [absent.name, Waves.table.name], isCancelled: { false })
        #expect(outcome == .rolledBack(rowsPerTable: ["ripples": 0, "waves": 30]))
        #expect(try fixture.batches() == [["3", "1", "5"]])
    }

    @Test(
        "What a process that was cut off delivers after the rollback stops a start, and the second rollback takes it",
        arguments: ServerVersion.allCases)
    func zombie(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        #expect(try fixture.rollBack() == done)
        try fixture.zombie.deliver(Waves.batch(4, lineage: 2))
        #expect(throws: SinkError.self) {
            try fixture.sinks.sink(Waves.table, lastFrozen: 1, lineage: 3, ends: RollbackFixture.plan().tables["waves"])
        }
        #expect(try fixture.rollBack(.again) == .rolledBack(rowsPerTable: ["waves": 5]))
        #expect(try fixture.batches() == RollbackFixture.remaining)
        _ = try fixture.sinks.sink(Waves.table, lastFrozen: 1, lineage: 3, ends: RollbackFixture.plan().tables["waves"])
    }

    @Test("A rollback that was cut off after its ALTER is waited for, not begun once more", arguments: ServerVersion.allCases)
    func cutOffAfterTheAlter(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        try fixture.server.query("SYSTEM STOP MERGES \(fixture.table)")
        let first = try fixture.begin()
        try waitUntil("the mutation is there") { try fixture.mutations("is_done = 0") == 1 }
        first.cancel()
        #expect(try first.outcome() == .cancelled)
        let second = try fixture.begin()
        try waitUntil("it is waited for") {
            fixture.sinks.log.text.components(separatedBy: "are being deleted from").count > 2 || second.hasEnded
        }
        #expect(!second.hasEnded)
        try fixture.server.query("SYSTEM START MERGES \(fixture.table)")
        #expect(try second.outcome() == done)
        #expect(try fixture.mutations() == 1)
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }

    @Test("An INSERT that is still on its way lands before the count", arguments: ServerVersion.allCases)
    func insertOnItsWay(version: ServerVersion) throws {
        let proxy = try FaultProxy(to: Servers[version].port)
        var fixture = try RollbackFixture(version) {
            $0.url = proxy.url
            $0.insertTimeout = .milliseconds(300)
        }
        fixture.settings.resolveDelay = .milliseconds(2500)
        let log = fixture.sinks.log
        proxy.meet([.deliverLate(seconds: 1.25)])
        #expect(
            try fixture.zombie.deliver(
                Waves.batch(4, lineage: 2), mayHaveBeenSent: false, isCancelled: { log.text.contains("got no answer") }) == .cancelled)
        #expect(proxy.lateDeliveries == 0)
        #expect(try fixture.rollBack() == .rolledBack(rowsPerTable: ["waves": RollbackFixture.rolledBackRows + 5]))
        #expect(proxy.lateDeliveries == 1)
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }

    @Test("Answers that are lost on the way change nothing", arguments: ServerVersion.allCases)
    func lostAnswers(version: ServerVersion) throws {
        var fixture = try RollbackFixture(version)
        let server = fixture.server
        let lost = LostAnswers()
        let proxy = try ScriptedHTTPServer { request in
            // The first of every kind of question gets no answer; a lost ALTER is carried out all the same.
            let sql = String(decoding: request.body, as: UTF8.self)
            let isLost = lost.isFirst(String(sql.prefix(24)))
            let answer = (sql.hasPrefix("ALTER") || !isLost) ? Result { try server.query(sql) } : .success("")
            guard !isLost, case .success(let text) = answer else { return .close }
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        fixture.settings = fixture.sinks.settings(url: "http://127.0.0.1:\(proxy.port)")
        #expect(try fixture.rollBack() == done)
        #expect(lost.kinds.contains { $0.hasPrefix("ALTER TABLE") })
        #expect(try fixture.mutations() == 1)
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }

    @Test("Materialized views on the table and counted batches that are gone are told of", arguments: ServerVersion.allCases)
    func warnings(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        try fixture.server.query(
            "CREATE MATERIALIZED VIEW \(fixture.sinks.database).heights ENGINE = MergeTree ORDER BY name AS SELECT name, height FROM \(fixture.table)"
        )
        try fixture.server.query("ALTER TABLE \(fixture.table) DELETE WHERE _lineage = 2 AND _batch = 1")
        try waitUntil("it is deleted") { try fixture.batches().count == 6 }
        #expect(try fixture.rollBack() == done)
        #expect(fixture.sinks.log.text.contains("materialized views on it (heights)"))
        #expect(fixture.sinks.log.text.contains("does not hold batch 1 of lineage 2, the last that the restored state counts"))
    }
}
