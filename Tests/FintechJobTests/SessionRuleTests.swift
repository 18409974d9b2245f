import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Sessions that come again, end later, or are keyed otherwise count once")
struct SessionRuleTests {
    private static func settings(_ change: (inout FintechSettings) -> Void = { _ in }) -> FintechSettings {
        var settings = FintechSettings()
        change(&settings)
        return settings
    }

    private static func run(_ partitions: [[String]], _ settings: FintechSettings, over fixed: [String: String]? = nil) throws
        -> TopologyRun
    {
        let run = TopologyRun(FintechJob.topology(settings: settings, over: fixed))
        try run.run(values: { topic in topic == "fintech.public.customer_sessions" ? partitions.map { $0.map { Array($0.utf8) } } : [[]] })
        return run
    }

    /// Of each window: its end, sessions, actions, their mean duration.
    private static func windows(_ rows: [GoldenRow]) -> [String] {
        rows.map { row in
            ["eventTime", "sessionCount", "totalActions", "averageDurationSeconds"].map { row.columns[$0]!.description }.joined(
                separator: " ")
        }
    }

    private static func windows(_ run: TopologyRun) throws -> [String] {
        let table = FintechJob.topology(settings: FintechSettings()).tables.first { $0.name == "customer_session_metrics" }!
        return try windows(GoldenRow.rows(of: table, in: run.chunks))
    }

    private static func skipped(_ run: TopologyRun) -> [String: UInt64] {
        run.counters.values.reduce(into: [:]) { all, counters in all.merge(counters.skipped) { $0 + $1 } }
    }

    private static func begun(_ id: String, _ start: Int64, _ end: Int64? = nil, of customer: String = "c") -> String {
        ChangeText.change("c", after: ChangeText.session(id, start, end, of: customer))
    }

    private static func ended(_ id: String, _ start: Int64, _ end: Int64, before: Int64? = nil) -> String {
        ChangeText.change("u", before: ChangeText.session(id, start, before), after: ChangeText.session(id, start, end))
    }

    // MARK: - Copies

    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func aCopyIsDroppedAndNotLate(keyedBy: FintechSettings.Keying) throws {
        let settings = SessionRuleTests.settings {
            $0.deduplicationHorizon = .hours(1)
            $0.sessionsKeyedBy = keyedBy
        }
        let sessions = [SessionRuleTests.begun("1", 0, 1000), SessionRuleTests.begun("2", 700_000)]
        let run = try SessionRuleTests.run([sessions + sessions], settings)
        #expect(try SessionRuleTests.windows(run) == ["300000 1 7 1", "900000 1 0 0"])
        #expect(SessionRuleTests.skipped(run) == ["duplicate": 2] && run.counters.values.allSatisfy { $0.rejected == 0 })
        let counted = try SessionRuleTests.run([sessions + [sessions[1]]], SessionRuleTests.settings())
        #expect(try SessionRuleTests.windows(counted) == ["300000 1 7 1", "900000 2 0 0"], "without the setting whatever comes counts")
    }

    @Test func aSessionIsKnownAgainAfterARestart() throws {
        let settings = SessionRuleTests.settings { $0.deduplicationHorizon = .hours(1) }
        let before = FintechTask(settings, stage: "sessions")
        try before.process(SessionRuleTests.begun("1", 0), SessionRuleTests.begun("2", 1))
        before.cut()
        let after = try FintechTask(after: before, settings)
        try after.process(SessionRuleTests.begun("2", 1), SessionRuleTests.begun("3", 2))
        #expect(after.counters.skipped == ["duplicate": 1])
        try after.raiseWatermark(to: 300_000)
        #expect(try SessionRuleTests.windows(after.rows(of: "customer_session_metrics")) == ["300000 3 0 0"])
    }

    // MARK: - Ends

    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func aSessionCountsWhenItHasEnded(keyedBy: FintechSettings.Keying) throws {
        let settings = SessionRuleTests.settings {
            $0.sessionsWhenEnded = true
            $0.keyedBy = keyedBy
        }
        let records = [
            SessionRuleTests.begun("1", 0), SessionRuleTests.begun("2", 1000, 3000), SessionRuleTests.begun("3", 2000),
            SessionRuleTests.ended("1", 0, 400_000),
        ]
        let run = try SessionRuleTests.run([records], settings)
        #expect(try SessionRuleTests.windows(run) == ["300000 1 7 2", "600000 1 7 400"])
        #expect(SessionRuleTests.skipped(run) == ["not_ended": 2] && run.counters.values.allSatisfy { $0.rejected == 0 })
    }

    /// The first record with an end; without the row before, and in copies, by its id.
    @Test func itCountsOnce() throws {
        let settings = SessionRuleTests.settings { $0.sessionsWhenEnded = true }
        let flat = String(ChangeText.session("1", 0, 6000).dropLast()) + #","__op":"u"}"#
        let end = SessionRuleTests.ended("1", 0, 4000)
        let records = [
            SessionRuleTests.begun("1", 0), end, end, SessionRuleTests.ended("1", 0, 5000, before: 4000), flat,
            SessionRuleTests.begun("1", 0, 4000),
        ]
        let run = try SessionRuleTests.run([records], settings)
        #expect(try SessionRuleTests.windows(run) == ["300000 1 7 4"])
        #expect(SessionRuleTests.skipped(run) == ["not_ended": 1, "duplicate": 3, "update": 1])
        let task = FintechTask(settings, stage: "sessions")
        try task.process(records[0], end)
        task.cut()
        let after = try FintechTask(after: task, settings)
        try after.process(end, flat)
        #expect(after.counters.skipped == ["duplicate": 2])
    }

    /// Debezium writes the row anew under its new customer, and nothing of the row before beside it.
    @Test(arguments: [FintechSettings.Keying.customerID, .id])
    func aSessionThatChangesItsCustomerCountsAtMostOnceAndItsEndIsNamed(keyedBy: FintechSettings.Keying) throws {
        func moved(_ id: String, _ start: Int64, _ end: Int64?) -> TestRecord {
            TestRecord(
                ChangeText.change("c", after: ChangeText.session(id, start, end, of: "d")),
                headers: ["__debezium.oldkey": #"{"customer_id":"c"}"#])
        }
        let settings = SessionRuleTests.settings {
            $0.sessionsWhenEnded = true
            $0.keyedBy = keyedBy
        }
        let records = [
            TestRecord(SessionRuleTests.begun("1", 0)), moved("1", 0, 4000), TestRecord(SessionRuleTests.begun("2", 0, 5000)),
            moved("2", 0, 5000),
            TestRecord(SessionRuleTests.begun("3", 0)), moved("3", 0, nil), TestRecord(SessionRuleTests.ended("3", 0, 6000)),
        ]
        let run = TopologyRun(FintechJob.topology(settings: settings))
        try run.run { topic in [topic == "fintech.public.customer_sessions" ? records : []] }
        #expect(SessionRuleTests.skipped(run) == ["not_ended": 2, "ended_key_change": 2, "key_change": 1])
        #expect(try SessionRuleTests.windows(run) == ["300000 2 14 5.5"])
    }

    @Test func anEndThatCannotBeReadIsRejected() throws {
        let settings = SessionRuleTests.settings { $0.sessionsWhenEnded = true }
        let task = FintechTask(settings, stage: "sessions")
        let row = ChangeText.session("1", 0, 4000)
        try task.process(
            ChangeText.change(
                "u", before: ChangeText.session("1", 0, nil), after: #"{"id":"1","customer_id":"c","started_at":0,"ended_at":"x"}"#))
        #expect(task.counters.reasons["bad_value:ended_at"]?.count == 1)
        try task.process(ChangeText.change("u", before: ChangeText.session("1", 0, nil), after: row))
        #expect(task.counters.skipped.isEmpty && task.counters.rejected == 1, "the corrected one counts")
    }

    // MARK: - Keys

    /// 200 customers in every partition: some of them are watched.
    @Test func aTopicThatIsNotKeyedByCustomerIsNoticed() throws {
        let partitions = (0..<3).map { partition in (0..<200).map { SessionRuleTests.begun("\(partition)-\($0)", 0, of: "customer-\($0)") }
        }
        var message = ""
        do {
            _ = try SessionRuleTests.run(partitions, SessionRuleTests.settings())
        } catch let failure as any Failure {
            message = failure.message
        }
        for part in ["of topic fintech.public.customer_sessions", "input.sessions.keyedBy: id", "message.key.columns"] {
            #expect(message.contains(part), "\(message)")
        }
        let run = try SessionRuleTests.run(partitions, SessionRuleTests.settings { $0.sessionsKeyedBy = .id })
        #expect(try SessionRuleTests.windows(run) == Array(repeating: "300000 3 0 0", count: 200))
    }

    /// As transactions unless it is said; a state goes on as it was begun.
    @Test(
        arguments: [
            (nil, nil, nil, "customer_id"), (FintechSettings.Keying.id, nil, nil, "id"), (.id, .customerID, nil, "customer_id"),
            (nil, .id, nil, "id"),
            (.id, nil, "", "customer_id"), (.id, nil, "id", "id"), (nil, nil, "id", "id"), (.id, .id, "", "id"),
        ] as [(FintechSettings.Keying?, FintechSettings.Keying?, String?, String)])
    func theKeyIsThatOfTransactionsOrOfTheState(
        keyedBy: FintechSettings.Keying?, sessions: FintechSettings.Keying?, stored: String?, expected: String
    ) {
        let settings = SessionRuleTests.settings {
            $0.keyedBy = keyedBy ?? .customerID
            $0.sessionsKeyedBy = sessions
        }
        var fixed = ["input.keyedBy": settings.keyedBy.rawValue]
        if let stored, !stored.isEmpty { fixed["input.sessions.keyedBy"] = stored }
        let topology = FintechJob.topology(settings: settings, over: stored == nil ? nil : fixed)
        #expect(topology.fixedSettings["input.sessions.keyedBy"] == expected)
        #expect(topology.stages.contains { $0.name == "session_customers" } == (expected == "id"))
        #expect(topology.settingsOfEarlierStates == ["input.sessions.keyedBy": "customer_id", "input.sessionsWhenEnded": "false"])
    }
}
