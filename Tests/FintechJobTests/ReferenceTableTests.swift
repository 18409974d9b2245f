import Engine
import FintechJob
import Testing
import TestSupport

@Suite("Reference tables follow their topics in every form that Debezium writes")
struct ReferenceTableTests {
    @Test(arguments: [
        #"{"id":"a"}"#, #"{"id":"a","__deleted":"false","__op":"u"}"#, #"{"before":null,"after":{"id":"a"},"op":"c"}"#,
        #"{"after":{"id":"a"},"op":"r"}"#, #"{"before":{"id":"b"},"after":{"id":"a"},"op":"u"}"#,
        #"{"schema":{},"payload":{"id":"a"}}"#, #"{"schema":null,"payload":{"before":null,"after":{"id":"a"},"op":"u"}}"#,
    ])
    func rowsAreHeld(_ value: String) {
        let task = FintechTask()
        for reference in ["customers", "accounts", "merchants"] {
            #expect(task.apply(reference, value) == .applied)
            #expect(task.count(of: reference) == 1)
        }
    }

    @Test(arguments: [
        (#"{"id":"a","__deleted":true}"#, ""), (#"{"id":"a","__deleted":"true"}"#, ""), (#"{"id":"a","__op":"d"}"#, ""),
        (#"{"before":{"id":"a"},"after":null,"op":"d"}"#, ""), (#"{"schema":{},"payload":{"before":{"id":"a"},"op":"d"}}"#, ""),
        (#"{"before":null,"after":null,"op":"d"}"#, "a"), ("", "a"), ("null", #"{"id":"a"}"#), ("", #"{"payload":{"id":"a"}}"#),
        (#"{"schema":{},"payload":null}"#, #"{"schema":{},"payload":{"id":"a"}}"#), (#"{"after":null,"op":"d"}"#, #"{"id":"a","x":1}"#),
    ])
    func deletedRowsAreForgotten(_ value: String, _ key: String) {
        let task = FintechTask()
        for reference in ["customers", "accounts", "merchants"] {
            task.apply(reference, #"{"id":"a"}"#)
            task.apply(reference, #"{"id":"b"}"#)
            #expect(task.apply(reference, value, key: key) == .applied)
            #expect(task.count(of: reference) == 1)
        }
    }

    @Test func truncationForgetsEverything() {
        let task = FintechTask()
        for reference in ["customers", "accounts", "merchants", "sessions"] {
            task.apply(reference, JobRun.session("a"))
            #expect(task.apply(reference, #"{"before":null,"after":null,"op":"t"}"#) == .applied)
            #expect(task.count(of: reference) == 0)
        }
    }

    @Test(arguments: [
        ("[]", "malformed_json"), ("{", "malformed_json"), (#"{"id":{}}"#, "bad_value:id"), (#"{"id":""}"#, "bad_value:id"), ("{}", "missing_field:id"),
        (#"{"after":1,"op":"c"}"#, "malformed_json"), (#"{"op":"u","after":null}"#, "missing_field:id"), ("", "missing_field:id"),
        ("null", "missing_field:id"), (#"{"op":"d","before":null}"#, "missing_field:id"),
    ])
    func whatCantBeUsedChangesNothingAndSaysWhy(_ value: String, _ reason: String) {
        let task = FintechTask()
        for reference in ["customers", "accounts", "merchants"] {
            task.apply(reference, #"{"id":"a"}"#)
            for key in ["", #"{"id":[7]}"#] {
                guard case .unusable(let rejection) = task.apply(reference, value, key: key) else { Issue.record("\(reference) took \(value)"); continue }
                #expect(rejection.description == reason, "\(reference): \(value)")
            }
            #expect(task.count(of: reference) == 1)
        }
        #expect(task.apply("customers", #"{"op":"m","after":{"id":"b"}}"#) == .unusable(Rejection("unknown_operation")))
    }

    @Test func oneSessionIsHeldForEachCustomer() throws {
        let task = FintechTask()
        /// The channel that a customer's session has now.
        func channel(_ value: String, key: String = "", _ expected: ReferenceOutcome = .applied) throws -> GoldenValue? {
            #expect(task.apply("sessions", value, key: key) == expected, "\(value)")
            try task.process(JobRun.transaction("9000.00"), JobRun.transaction("-9000000.00"), JobRun.transaction("9000000.00"))
            return try task.rows(of: "customer_lifecycle_analytics").last?.columns["channel"]
        }
        func session(_ id: String, _ time: Int64, _ channel: String) -> String { JobRun.session(id, at: time, #""channel":"\#(channel)""#) }
        #expect(try channel(session("b", 5, "1")) == .text("1"))
        #expect(try channel(session("a", 5, "2")) == .text("1"), "of a tie the greater id")
        #expect(try channel(session("c", 5, "3")) == .text("3"))
        #expect(try channel(session("z", 4, "4")) == .text("3"), "an earlier one")
        #expect(try channel(session("c", 1, "5")) == .text("5"), "the held one is replaced, whenever it began")
        #expect(try channel(session("d", 2, "6")) == .text("6"))
        #expect(try channel("", key: "c", .ignored) == .text("6"), "a tombstone says nothing about sessions")
        #expect(try channel(#"{"id":"e","customer_id":"c","started_at":"soon","channel":"7"}"#) == .text("6"), "no start that can be used")
        #expect(try channel(#"{"before":{"id":"c","customer_id":"c"},"after":null,"op":"d"}"#) == .text("6"), "not the held one")
        #expect(try channel(#"{"before":{"id":"d","customer_id":null},"after":null,"op":"d"}"#, key: #"{"customer_id":"c"}"#) == .text("unknown"))
        #expect(try channel(#"{"id":"e","customer_id":"c","channel":"8"}"#) == .text("8"))
        #expect(try channel(#"{"id":"x"}"#, .unusable(Rejection("missing_field", field: "customer_id"))) == .text("8"), "whose session?")
    }
}
