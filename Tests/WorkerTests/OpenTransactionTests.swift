import Engine
import Testing

@testable import Worker

@Suite("What waits behind an open transaction is known with its place, and since when")
struct OpenTransactionTests {
    private static let partition = TopicPartition(topic: "t", partition: 0)
    private static let other = TopicPartition(topic: "t", partition: 1)

    private func open(_ readable: Int64, _ end: Int64) -> [TopicPartition: LogEnd] {
        [OpenTransactionTests.partition: LogEnd(end: end, readable: readable)]
    }

    @Test func itWaitsForAsLongAsNothingMoreCanBeRead() {
        var transactions = OpenTransactions()
        transactions.note(open(5, 5), now: .seconds(1))
        #expect(transactions.all.isEmpty)
        transactions.note(open(5, 20), now: .seconds(2))
        transactions.note(open(5, 25), now: .seconds(9))
        #expect(transactions.all == [.init(partition: Self.partition, offset: 5, end: 25, since: .seconds(2))])
        transactions.note([Self.other: LogEnd(end: 7, readable: 3)], now: .seconds(10))
        #expect(transactions.all.map(\.partition) == [Self.partition, Self.other], "who did not answer waits on")
        transactions.note(open(12, 25), now: .seconds(11))
        #expect(transactions.all.first?.since == .seconds(11), "that is another transaction")
        transactions.note(open(25, 25), now: .seconds(12))
        #expect(transactions.all.map(\.partition) == [Self.other])
        transactions.keep(only: [])
        #expect(transactions.all.isEmpty, "it is read again")
    }
}
