import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("A rollback outlives its server", .serialized, .ownServers(.debian1816, .engine269))
struct RollbackRestartTests {
    private let done = RollbackOutcome.rolledBack(rowsPerTable: ["waves": RollbackFixture.rolledBackRows])

    @Test("A server killed while it deletes is waited for and goes on deleting", arguments: ServerVersion.allCases)
    func killedDuringTheMutation(version: ServerVersion) throws {
        let fixture = try RollbackFixture(version)
        try fixture.server.query("SYSTEM STOP MERGES \(fixture.table)")
        let rollback = try fixture.begin()
        try waitUntil("the mutation is there") { try fixture.mutations("is_done = 0") == 1 }
        fixture.server.kill()
        try waitUntil("the rollback notices") { fixture.sinks.log.text.contains("can't be seen") || rollback.hasEnded }
        #expect(!rollback.hasEnded)
        try fixture.server.start()
        #expect(try rollback.outcome() == done)
        #expect(try fixture.mutations() == 1)
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }

    @Test("What a server that stands still has not read yet lands before the count", arguments: ServerVersion.allCases)
    func stoodStill(version: ServerVersion) throws {
        var fixture = try RollbackFixture(version) {
            $0.queryTimeout = .milliseconds(500)
            $0.insertTimeout = .milliseconds(300)
        }
        fixture.settings.resolveDelay = .seconds(1)
        fixture.settings.queryTimeout = .milliseconds(500)
        let log = fixture.sinks.log
        fixture.server.send(SIGSTOP)
        defer { fixture.server.send(SIGCONT) }
        _ = try fixture.zombie.deliver(
            Waves.batch(4, lineage: 2), mayHaveBeenSent: false, isCancelled: { log.text.contains("got no answer") })
        let rollback = try fixture.begin()
        try waitUntil("the rollback can't see the server") { log.text.contains("can't be seen") || rollback.hasEnded }
        #expect(!rollback.hasEnded)
        fixture.server.send(SIGCONT)
        guard case .rolledBack(let rows)? = try rollback.outcome() else {
            Issue.record("cancelled")
            return
        }
        // Whether the INSERT lands at all is the kernel's choice; what it leaves is counted before the deletion.
        #expect(rows["waves"] == RollbackFixture.rolledBackRows || rows["waves"] == RollbackFixture.rolledBackRows + 5)
        #expect(try fixture.batches() == RollbackFixture.remaining)
    }
}
