import Engine
import Foundation
import TestSupport
import Testing

@Suite("Golden cases are read and laid out as they are")
struct GoldenCaseTests {
    @Test(arguments: GoldenCase.all)
    func aLaidOutDirectoryHoldsEveryRecordInItsPartition(of golden: GoldenCase) throws {
        let directory = try TemporaryDirectory()
        try golden.layOutInput(in: directory.path)
        for topic in GoldenCase.streams + GoldenCase.referenceTopics {
            let parts = try golden.input(topic)
            #expect(parts.count == (GoldenCase.streams.contains(topic) ? golden.partitions : 1))
            for (number, values) in parts.enumerated() {
                let file = directory.file(parts.count == 1 ? "\(topic).jsonl" : "\(topic)/\(number).jsonl")
                let bytes = try #require(FileManager.default.contents(atPath: file))
                #expect(Array(bytes) == values.flatMap { $0 + [UInt8(ascii: "\n")] }, "\(topic), partition \(number)")
            }
        }
    }

    @Test func differencesNameTheRowAndItsColumns() {
        func row(_ customer: String, _ amount: String, _ count: Double) -> GoldenRow {
            GoldenRow(columns: ["customerId": .text(customer), "amount": .text(amount), "count": .number(count), "eventTime": .number(0)])
        }
        let expected = [row("a", "1.00", 1), row("b", "2.00", 2), row("b", "2.00", 2)]
        #expect(rowDifferences(expected.reversed(), expected: expected).isEmpty)
        #expect(
            rowDifferences([row("a", "1.00", 1), row("b", "2.00", 2)], expected: expected) == [
                "2 rows instead of 3: 1 missing, 0 unexpected", "missing: {amount: '2.00', count: 2, customerId: 'b', eventTime: 0}",
            ])
        #expect(
            rowDifferences([row("a", "1.10", 1), row("b", "2.00", 2), row("b", "2.00", 2)], expected: expected) == [
                "3 rows instead of 3: 1 missing, 1 unexpected",
                "the row with {customerId: 'a', eventTime: 0}: amount is '1.10', not '1.00'",
            ])
    }
}
