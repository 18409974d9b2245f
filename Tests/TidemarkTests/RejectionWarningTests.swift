import Foundation
import Testing
import TestSupport

@Suite("Nothing unusable is silent: the log names the reason, a place and what to set")
struct RejectionWarningTests {
    private static let transactions = "fintech.public.transactions"

    private func line(_ id: Int, amount: String = "\"1.00\"", operation: String = "c") -> String {
        "{\"id\":\"t\(id)\",\"customer_id\":\"c\(id % 7)\",\"amount\":\(amount),\"created_at\":\(1_736_942_400_000 + id * 10),\"transaction_type\":\"card\",\"status\":\"completed\",\"__op\":\"\(operation)\"}\n"
    }

    /// What a bounded run over these transactions and accounts logs.
    private func log(_ transactions: String, accounts: String = "", settings: [String] = []) throws -> String {
        let clickHouse = try ClickHouseServer()
        let input = try TemporaryDirectory("tidemark-warnings")
        for empty in GoldenCase.referenceTopics + [GoldenCase.streams[1]] {
            try (empty == "fintech.public.accounts" ? accounts : "").write(toFile: input.file("\(empty).jsonl"), atomically: true, encoding: .utf8)
        }
        try transactions.write(toFile: input.file("\(Self.transactions).jsonl"), atomically: true, encoding: .utf8)
        let run = try JobFixture(.directory(input.path), clickHouse, settings: settings).runUntilEnd()
        #expect(run.status == 0, "\(run.errors)")
        return run.errors
    }

    /// What is skipped is no record that could have been used.
    @Test func updatesBetweenThemDoNotHideThatAllWereRejected() throws {
        let log = try log((0..<5).map { line($0, amount: "\"x\"") }.joined() + (5..<9).map { line($0, operation: "u") }.joined())
        #expect(log.contains("all 5 records read of \(Self.transactions) lately were rejected: 0 late, 5 for other reasons, 5 of them for bad_value:amount, the last at offset 4 of partition 0: set decimal.handling.mode=string"), "\(log)")
    }

    @Test func aSmallShareIsToldToo() throws {
        let log = try log((0..<200).map { line($0, amount: $0 % 60 == 7 ? "null" : "\"2.00\"") }.joined())
        #expect(log.contains("4 of 200 records read of \(Self.transactions) in the last minute were rejected, 4 of them for missing_field:amount, the last at offset 187 of partition 0"), "\(log)")
    }

    @Test func digitsThatMayBeBase64AndRulesThatCouldNotBeJudgedAreToldOnce() throws {
        let account = "{\"id\":\"a\",\"balance\":\"AfQ=\",\"is_frozen\":\"no\",\"__op\":\"c\"}\n"
        let log = try log(
            (0..<20).map { line($0, amount: "\"1000\"").replacing("\"__op\"", with: "\"from_account_id\":\"a\",\"__op\"") }.joined(), accounts: account
        )
        #expect(log.components(separatedBy: "ambiguous_decimal:amount, the last at offset 19 of partition 0").count == 2, "\(log)")
        #expect(log.contains("\(Self.transactions): unjudged_rule:FROZEN_ACCOUNT, 20 in all"), "\(log)")
        #expect(log.contains("fintech.public.accounts[0] offset 0: is_frozen is a text that can't be used, so reference table accounts holds the row without it; expected true, false"), "\(log)")
        #expect(log.contains("offset 0: balance is a text that can't be used") && !log.contains("AfQ="), "a value is no business of the log's: \(log)")
    }
}
