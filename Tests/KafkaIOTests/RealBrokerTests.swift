import CRdKafka
import Engine
import Foundation
import TestSupport
import Testing

@testable import KafkaIO

/// Where a real broker with transactions is, as `bootstrap.servers` takes it.
private let realBrokers = ProcessInfo.processInfo.environment["TIDEMARK_TEST_BROKERS"]

@Suite(
    "Kafka output on a real broker: exactly once for read_committed consumers",
    .enabled(if: realBrokers != nil, "skipped: TIDEMARK_TEST_BROKERS names no broker with transactions (host:port)"), .serialized
)
struct RealBrokerTests {
    /// A job and a topic of a test's own; the topic has to be creatable on first use, or by the admin's request.
    private struct World {
        let settings: KafkaOutputSettings
        var topic: String { settings.topic(of: Names.table) }

        init() throws {
            let name = "tidemark-test-\(UInt32.random(in: 1 ... .max))"
            settings = Names.settings(realBrokers!, prefix: "\(name).", job: name)
            let writer = try TopicWriter(WriterSettings(properties: settings.properties), logger: quietLogger)
            _ = try writer.ensureTopic(topic, partitions: 2)
        }

        func output() throws -> KafkaOutput { try KafkaOutput(settings, logger: quietLogger) }
        func read() throws -> [String] { try Names.read(realBrokers!, topic: topic).sorted() }

        func producer() throws -> KafkaTransactions {
            KafkaTransactions(settings, table: Names.table, ledgers: try LedgerReader(settings, logger: quietLogger), logger: quietLogger)
        }

        func entry(_ number: UInt64) -> SinkLedger { SinkLedger(lineage: .first, number: BatchNumber(number), stateIdentity: "mine") }
    }

    @Test func aRestartGoesOnWhereTheLedgerIs() throws {
        let world = try World()
        let first = try world.output()
        _ = try first.open([Names.known()])
        try first.deliver(Names.batch(1, ["a"]))
        try first.deliver(Names.batch(2, ["b"]))
        let second = try world.output()
        _ = try second.open([Names.known(frozen: 2, delivered: 1)])
        try second.deliver(Names.batch(2, ["b"]))
        try second.deliver(Names.batch(3, ["c"]))
        #expect(try world.read() == ["a", "b", "c"])
        #expect(try second.inspect(Names.known(frozen: 3, delivered: 3)).lastBatch == BatchNumber(3))
        #expect(message { _ = try world.output().open([Names.known(frozen: 2, delivered: 2)]) }.contains("made batches only up to 2"))
        #expect(message { _ = try world.output().open([Names.known()]) }.contains("made batches only up to 0"))
    }

    @Test func whatACrashLeftOpenIsEndedAndNeverSeen() throws {
        let world = try World()
        let dying = try world.producer()
        #expect(try dying.initialize(anew: true).outcome == .done)
        #expect(try dying.send(Names.batch(1, ["lost"]), entry: world.entry(1)) { false }.outcome == .done)
        // The rows are in the log, uncommitted; the process dies here.
        let next = try world.output()
        _ = try next.open([Names.known(frozen: 1)])
        try next.deliver(Names.batch(1, ["kept"]))
        #expect(try world.read() == ["kept"])
        #expect(dying.commit().outcome == .fenced)
    }

    @Test func anAbortedBatchIsSeenOnceAfterItIsSentAgain() throws {
        let world = try World()
        let producer = try world.producer()
        #expect(try producer.initialize(anew: true).outcome == .done)
        #expect(try producer.send(Names.batch(1, ["x"]), entry: world.entry(1)) { false }.outcome == .done)
        #expect(producer.abort().outcome == .done)
        guard case .found(nil) = try producer.readLedger() else {
            Issue.record("an aborted ledger was found")
            return
        }
        #expect(try producer.send(Names.batch(1, ["x"]), entry: world.entry(1)) { false }.outcome == .done)
        #expect(producer.commit().outcome == .done)
        guard case .found(world.entry(1)) = try producer.readLedger() else {
            Issue.record("the ledger is not what was committed")
            return
        }
        #expect(try world.read() == ["x"])
    }

    @Test func theOlderOfTwoWorkersIsShutOut() throws {
        let world = try World()
        let first = try world.output()
        _ = try first.open([Names.known()])
        let second = try world.output()
        _ = try second.open([Names.known()])
        let error = #expect(throws: SourceError.self) { try first.deliver(Names.batch(1, ["of the first"])) }
        #expect(error?.kind == .fenced)
        try second.deliver(Names.batch(1, ["of the second"]))
        #expect(try world.read() == ["of the second"])
    }

    @Test func anOperatorsWordIsTheLedger() throws {
        let world = try World()
        let output = try world.output()
        try output.resolve(OutboxTable(Names.table, sink: KafkaOutput.name), as: world.entry(7))
        _ = try output.open([Names.known(frozen: 7, delivered: 7)])
        try output.deliver(Names.batch(8, ["next"]))
        #expect(try world.read() == ["next"])
    }
}
