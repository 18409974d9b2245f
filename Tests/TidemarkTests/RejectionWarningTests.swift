import Foundation
import TestSupport
import Testing

@Suite("Nothing unusable is silent: the log names the reason, a place and what to set")
struct RejectionWarningTests {
    private static let transactions = "fintech.public.transactions"

    private func line(_ id: Int, amount: String = "\"1.00\"", operation: String = "c") -> String {
        "{\"id\":\"t\(id)\",\"customer_id\":\"c\(id % 7)\",\"amount\":\(amount),\"created_at\":\(1_736_942_400_000 + id * 10),\"transaction_type\":\"card\",\"status\":\"completed\",\"__op\":\"\(operation)\"}\n"
    }

    /// What a bounded run over these transactions and accounts logs.
    /// `after`: what it has read before, as a job of which nothing could be used is not begun.
    private func log(_ transactions: String, after before: String = "", accounts: String = "", settings: [String] = []) throws -> String {
        let clickHouse = try ClickHouseServer()
        let input = try TemporaryDirectory("tidemark-warnings")
        for empty in GoldenCase.referenceTopics + [GoldenCase.streams[1]] {
            try (empty == "fintech.public.accounts" ? accounts : "").write(
                toFile: input.file("\(empty).jsonl"), atomically: true, encoding: .utf8)
        }
        let job = try JobFixture(.directory(input.path), clickHouse, settings: settings)
        let file = input.file("\(Self.transactions).jsonl")
        if !before.isEmpty {
            try before.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try job.runUntilEnd().status == 0)
        }
        try (before + transactions).write(toFile: file, atomically: true, encoding: .utf8)
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        return run.errors
    }

    /// What is skipped is no record that could have been used.
    @Test func updatesBetweenThemDoNotHideThatAllWereRejected() throws {
        let log = try log(
            (0..<5).map { line($0, amount: "\"x\"") }.joined() + (5..<9).map { line($0, operation: "u") }.joined(), after: line(9))
        #expect(
            log.contains(
                "all 5 records read of \(Self.transactions) lately were rejected: 0 late, 5 for other reasons, 5 of them for bad_value:amount, the last at offset 5 of partition 0: set decimal.handling.mode=string"
            ), "\(log)")
    }

    @Test func aSmallShareIsToldToo() throws {
        let log = try log((0..<200).map { line($0, amount: $0 % 60 == 7 ? "null" : "\"2.00\"") }.joined())
        #expect(
            log.contains(
                "4 of 200 records read of \(Self.transactions) in the last minute were rejected, 4 of them for missing_field:amount, the last at offset 187 of partition 0"
            ), "\(log)")
    }

    /// Each with its place and cure, the most frequent first; what is beyond five is one number.
    @Test func everyReasonIsNamed() throws {
        func without(_ field: String, _ id: Int) -> String { line(id).replacing("\"\(field)\"", with: "\"\(field)_\"") }
        let fields = ["id", "customer_id", "created_at", "transaction_type", "status"]
        let bad =
            fields.enumerated().flatMap { index, field in (0..<(6 - index)).map { without(field, $0) } } + ["nonsense\n"] + [
                line(1, amount: "\"x\"")
            ]
        let log = try log(bad.joined(), after: line(9))
        let named = [
            "6 of them for missing_field:id, ", "; 5 of them for missing_field:customer_id, ", "; 4 of them for missing_field:created_at, ",
            "; 2 of them for missing_field:status, ",
        ]
        for text in named + ["; 2 of them for 2 other reasons; rejected_records has"] {
            #expect(log.contains(text), "'\(text)' is missing in: \(log)")
        }
    }

    @Test func digitsThatMayBeBase64AndRulesThatCouldNotBeJudgedAreToldOnce() throws {
        let account =
            "{\"id\":\"a\",\"balance\":\"AfQ=\",\"is_frozen\":\"no\",\"__op\":\"c\"}\n{\"id\":\"b\",\"balance\":\"5.00\",\"__op\":\"c\"}\n"
        let log = try log(
            (0..<20).map { line($0, amount: "\"1000\"").replacing("\"__op\"", with: "\"from_account_id\":\"a\",\"__op\"") }.joined(),
            accounts: account
        )
        #expect(log.components(separatedBy: "ambiguous_decimal:amount, the last at offset 19 of partition 0").count == 2, "\(log)")
        #expect(log.contains("\(Self.transactions): unjudged_rule:FROZEN_ACCOUNT, 20 in all"), "\(log)")
        #expect(
            log.contains(
                "fintech.public.accounts[0] offset 0: is_frozen is a text that can't be used, so reference table accounts holds the row without it; expected true, false"
            ), "\(log)")
        #expect(
            log.contains("offset 0: balance is a text that can't be used") && !log.contains("AfQ="),
            "a value is no business of the log's: \(log)")
    }
}
