import Engine
import Foundation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Resolving waits for what still runs on the server", .servers(.debian1816))
struct StuckQueryTests {
    @Test("A batch that an earlier process left running is killed when it is stuck, then counted and sent")
    func inheritedAndStuck() throws {
        let fixture = try SinkFixture(.debian1816)
        var settings = fixture.settings()
        settings.killAfter = .milliseconds(300)
        let sink = try fixture.sink(Waves.table, settings: settings)
        try fixture.occupy(Waves.batch(1))
        try sink.deliver(Waves.batch(1), mayHaveBeenSent: true)
        #expect(fixture.log.text.contains("killing it"))
        #expect(try fixture.delivered() == Waves.rows(1))
    }

    @Test("The server refuses a batch's name while an earlier attempt runs (code 216): unknown, resolved, sent again")
    func nameIsTaken() throws {
        let fixture = try SinkFixture(.debian1816)
        var settings = fixture.settings()
        settings.killAfter = .milliseconds(300)
        let sink = try fixture.sink(Waves.table, settings: settings)
        try fixture.occupy(Waves.batch(1))
        try sink.deliver(Waves.batch(1))
        #expect(fixture.log.text.contains("Code: 216"))
        #expect(!fixture.log.text.contains("materialized view"))
        #expect(try fixture.delivered() == Waves.rows(1))
        #expect(sink.status[0].insertsSent == 2)
    }

    @Test("Time in which a query shows, or in which the server doesn't answer, is no quiet time")
    func quietTimeIsContinuous() throws {
        let start = ContinuousClock.now
        let delay = Duration.milliseconds(400)
        let server = try ScriptedHTTPServer { _ in
            let elapsed = ContinuousClock.now - start
            switch elapsed {
            case .milliseconds(200)..<(.milliseconds(300)): return .bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1\n")
            case .milliseconds(500)..<(.milliseconds(600)): return .close
            default: return .bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n0\n")
            }
        }
        var settings = ClickHouseSettings(url: "http://127.0.0.1:\(server.port)", job: "waves")
        settings.resolveDelay = delay
        let log = RecordedLog()
        let trouble = TroubleLog(log.logger, table: "waves", status: TableStatusBox(table: "waves"), interval: .seconds(1))
        let wait = try QuietWait(connection: ClickHouseConnection(settings), trouble: trouble)
        #expect(wait.wait(for: "query_id = 'x'", isCancelled: { false }))
        let elapsed = ContinuousClock.now - start
        #expect(elapsed >= .milliseconds(500) + delay)
        #expect(log.text.contains("can't be seen"))
    }
}
