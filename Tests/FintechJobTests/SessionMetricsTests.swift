import Engine
import FintechJob
import TestSupport
import Testing

@Suite("customer_session_metrics adds up exactly")
struct SessionMetricsTests {
    private func metrics(_ sessions: [String]) throws -> [String: GoldenValue] {
        let rows = try JobRun.rows(of: "customer_session_metrics", sessions: sessions)
        try #require(rows.count == 1)
        return rows[0].columns
    }

    @Test func theLatestSessionIsTheGreatestInTimeAndOfATieTheGreatestID() throws {
        let row = try metrics([
            JobRun.session("b", at: 2000, #""session_id":"sb","channel":"web","device_type":"desktop""#),
            JobRun.session("a", at: 2000, #""session_id":"sa","channel":"atm""#),
            JobRun.session("z", at: 1000, #""session_id":"sz","channel":"branch""#),
        ])
        #expect(row["latestSessionId"] == .text("sb"))
        #expect(row["channel"] == .text("web"))
        #expect(row["deviceType"] == .text("desktop"))
        #expect(row["firstStartedAt"] == .number(1000))
        #expect(row["lastStartedAt"] == .number(2000))
        #expect(row["sessionCount"] == .number(3))
    }

    @Test func aLaterSessionReplacesAllThatTheEarlierOneSaid() throws {
        let row = try metrics([
            JobRun.session("a", at: 1, #""session_id":"s","channel":"web","device_type":"d""#), JobRun.session("b", at: 2),
        ])
        #expect(row["latestSessionId"] == .text(""))
        #expect(row["channel"] == .text("unknown"))
        #expect(row["deviceType"] == .text("unknown"))
    }

    @Test func sessionsWithoutAnEndAreLeftOutOfTheDuration() throws {
        let row = try metrics([
            JobRun.session("a", at: 1000, #""ended_at":2000"#), JobRun.session("b", at: 1000),
            JobRun.session("c", at: 1000, #""ended_at":1001"#),
        ])
        #expect(row["averageDurationSeconds"] == .number(1001.0 / 2000.0))
        #expect(try metrics([JobRun.session("a")])["averageDurationSeconds"] == .number(0))
        #expect(try metrics([JobRun.session("a", at: 3000, #""ended_at":1000"#)])["averageDurationSeconds"] == .number(-2))
    }

    @Test func actionsAreAveragedInOneDivision() throws {
        let row = try metrics([
            JobRun.session("a", #""actions_count":1"#), JobRun.session("b"), JobRun.session("c", #""actions_count":"nine""#),
        ])
        #expect(row["totalActions"] == .number(1))
        #expect(row["averageActions"] == .number(1.0 / 3.0))
    }

    @Test func actionsThatNoColumnHoldsStopAtItsEnd() throws {
        let row = try metrics(["a", "b"].map { JobRun.session($0, #""actions_count":18446744073709551615"#) })
        #expect(row["totalActions"] == .number(Double(UInt64.max)))
        #expect(row["averageActions"] == .number(Double(UInt64.max)))
    }

    @Test func windowsAreFiveMinutesOfTheStart() throws {
        let rows = try JobRun.rows(
            of: "customer_session_metrics", sessions: [299_999, 300_000].map { JobRun.session("a", at: $0, #""ended_at":900000"#) })
        #expect(rows.map { $0.columns["eventTime"] } == [.number(300_000), .number(600_000)])
    }
}
