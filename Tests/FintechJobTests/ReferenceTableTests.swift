import Engine
import FintechJob
import TestSupport
import Testing

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
        ("[]", "malformed_json"), ("{", "malformed_json"), (#"{"id":{}}"#, "bad_value:id"), (#"{"id":""}"#, "bad_value:id"),
        ("{}", "missing_field:id"),
        (#"{"after":1,"op":"c"}"#, "malformed_json"), (#"{"op":"u","after":null}"#, "missing_field:id"), ("", "missing_field:id"),
        ("null", "missing_field:id"), (#"{"op":"d","before":null}"#, "missing_field:id"),
    ])
    func whatCantBeUsedChangesNothingAndSaysWhy(_ value: String, _ reason: String) {
        let task = FintechTask()
        for reference in ["customers", "accounts", "merchants"] {
            task.apply(reference, #"{"id":"a"}"#)
            for key in ["", #"{"id":[7]}"#] {
                guard case .unusable(let rejection) = task.apply(reference, value, key: key) else {
                    Issue.record("\(reference) took \(value)")
                    continue
                }
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
        #expect(
            try channel(#"{"before":{"id":"d","customer_id":null},"after":null,"op":"d"}"#, key: #"{"customer_id":"c"}"#)
                == .text("unknown"))
        #expect(try channel(#"{"id":"e","customer_id":"c","channel":"8"}"#) == .text("8"))
        #expect(try channel(#"{"id":"x"}"#, .unusable(Rejection("missing_field", field: "customer_id"))) == .text("8"), "whose session?")
    }

    private func reader(_ name: String, _ table: ReferenceTable) throws -> any ReferenceReader {
        try #require(FintechJob.topology(settings: .ofInserts).references.first { $0.name == name }).makeReader(table)
    }

    private func apply(_ value: String, to reader: any ReferenceReader) -> ReferenceOutcome {
        let bytes = Array(value.utf8)
        return bytes.withUnsafeBytes { reader.apply(SourceRecord(offset: 0, timestamp: nil, key: .null, value: ByteView($0))) }
    }

    /// As a restart hands it over.
    @Test func thatBase64WasMetIsKept() throws {
        let before = try reader("accounts", ReferenceTable(name: "accounts"))
        #expect(
            apply(#"{"id":"a","balance":"1000"}"#, to: before) == .applied
                && before.fieldDefects.map(\.rejection.description) == ["ambiguous_decimal:balance"])
        #expect(before.notes.isEmpty)
        #expect(apply(#"{"id":"b","balance":"AfQ="}"#, to: before) == .applied)
        #expect(before.fieldDefects.map(\.rejection.description) == ["base64_decimal:balance", "bad_value:balance"])
        let after = try reader("accounts", ReferenceTable(name: "accounts"))
        after.recall(before.notes)
        #expect(
            apply(#"{"id":"c","balance":"1000"}"#, to: after) == .applied
                && after.fieldDefects.map(\.rejection.description) == ["bad_value:balance"])
    }

    @Test func anUnknownOperationIsUnusableInEveryTable() {
        let task = FintechTask()
        for reference in ["customers", "accounts", "merchants", "sessions"] {
            #expect(
                task.apply(reference, #"{"__op":"INSERT","id":"a","customer_id":"c"}"#) == .unusable(Rejection("unknown_operation")),
                "\(reference)")
        }
    }

    /// Made when a deletion names nothing but the session's id.
    @Test func theIndexOfSessionsByTheirIDsIsCounted() throws {
        let reader = try reader("sessions", ReferenceTable(name: "sessions"))
        for number in 0..<1000 {
            #expect(apply(#"{"id":"session-\#(number)","customer_id":"customer-\#(number)","started_at":1}"#, to: reader) == .applied)
        }
        #expect(reader.memoryBytes == 0)
        func forget(_ number: Int) {
            #expect(apply(#"{"op":"d","before":{"id":"session-\#(number)"},"after":null}"#, to: reader) == .applied)
        }
        forget(0)
        let bytes = reader.memoryBytes
        #expect(bytes > 999 * 100)
        #expect(apply(#"{"id":"session-x","customer_id":"customer-1","started_at":2}"#, to: reader) == .applied)
        #expect(abs(reader.memoryBytes - bytes) < 10, "one takes the other's place")
        for number in 2..<1000 { forget(number) }
        #expect(apply(#"{"op":"d","before":{"id":"session-x"},"after":null}"#, to: reader) == .applied)
        #expect(reader.memoryBytes == 0)
    }
}
