import CurlHTTP
import Engine
import Foundation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("A server's time is that of its answers' Date", .servers(.debian1816, .engine269))
struct ServerClockTests {
    @Test(
        "dates as servers write them, and nothing else",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Int64(784_111_777_000)), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("06 Nov 1994", nil),
            ("", nil),
            ("Sun, 06 Nov 1994 08:49:37 GMT and more", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil),
        ])
    func dates(text: String, milliseconds: Int64?) {
        #expect(ServerClock.time(ofDate: text)?.milliseconds == milliseconds)
    }

    @Test func anAnswerWithoutADateChangesNothing() {
        let clock = ServerClock()
        clock.note(HTTPResponse(status: 200, headers: [], body: []))
        #expect(clock.now == nil)
        clock.note(HTTPResponse(status: 200, headers: [("date", "Sun, 06 Nov 1994 08:49:37 GMT")], body: []))
        clock.note(HTTPResponse(status: 200, headers: [("Date", "nonsense")], body: []))
        #expect((784_111_777_000..<784_111_837_000).contains(clock.now?.milliseconds ?? 0))
    }

    @Test(arguments: ServerVersion.allCases)
    func aSinkKnowsItWhenItIsOpen(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let asked = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        #expect(asked.serverTime == nil)
        asked.askServerTime()
        for sink in [asked, try fixture.sink(Waves.table)] {
            let time = try #require(sink.serverTime)
            // The server has this machine's clock; its answers have whole seconds.
            #expect(abs(Double(time.milliseconds) / 1000 - Date().timeIntervalSince1970) < 30, "\(time.text)")
        }
    }
}
