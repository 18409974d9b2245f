import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("A withdrawal outlives its server", .serialized, .ownServers(.debian1816, .engine269))
struct WithdrawalRestartTests {
    private let done = WithdrawalOutcome.withdrawn(rowsPerTable: ["waves": WithdrawalFixture.withdrawnRows])

    @Test("A server killed while it deletes is waited for and goes on deleting", arguments: ServerVersion.allCases)
    func killedDuringTheMutation(version: ServerVersion) throws {
        let fixture = try WithdrawalFixture(version)
        try fixture.server.query("SYSTEM STOP MERGES \(fixture.table)")
        let withdrawal = try fixture.begin()
        try waitUntil("the mutation is there") { try fixture.mutations("is_done = 0") == 1 }
        fixture.server.kill()
        try waitUntil("the withdrawal notices") { fixture.sinks.log.text.contains("can't be seen") || withdrawal.hasEnded }
        #expect(!withdrawal.hasEnded)
        try fixture.server.start()
        #expect(try withdrawal.outcome() == done)
        #expect(try fixture.mutations() == 1)
        #expect(try fixture.batches() == WithdrawalFixture.remaining)
    }

    @Test("What a server that stands still has not read yet lands before the count", arguments: ServerVersion.allCases)
    func stoodStill(version: ServerVersion) throws {
        var fixture = try WithdrawalFixture(version) {
            $0.queryTimeout = .milliseconds(500)
            $0.insertTimeout = .milliseconds(300)
        }
        fixture.settings.settleDelay = .seconds(1)
        fixture.settings.queryTimeout = .milliseconds(500)
        let log = fixture.sinks.log
        fixture.server.send(SIGSTOP)
        defer { fixture.server.send(SIGCONT) }
        _ = try fixture.zombie.deliver(
            Waves.batch(4, lineage: 2), mayHaveBeenSent: false, isCancelled: { log.text.contains("got no answer") })
        let withdrawal = try fixture.begin()
        try waitUntil("the withdrawal can't see the server") { log.text.contains("can't be seen") || withdrawal.hasEnded }
        #expect(!withdrawal.hasEnded)
        fixture.server.send(SIGCONT)
        guard case .withdrawn(let rows)? = try withdrawal.outcome() else {
            Issue.record("cancelled")
            return
        }
        // Whether the INSERT lands at all is the kernel's choice; what it leaves is counted before the deletion.
        #expect(rows["waves"] == WithdrawalFixture.withdrawnRows || rows["waves"] == WithdrawalFixture.withdrawnRows + 5)
        #expect(try fixture.batches() == WithdrawalFixture.remaining)
    }
}
