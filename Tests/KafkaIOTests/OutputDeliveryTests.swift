import Engine
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Promises 2 to 4 for Kafka output: whatever befalls a client, each batch becomes visible once and in order")
struct OutputDeliveryTests {
    private static let table = OutputTable("t", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time)])

    private static let settings = {
        var settings = KafkaOutputSettings(properties: ["bootstrap.servers": "none"], job: "job", topicPrefix: "")
        settings.retryPause = .zero
        settings.retryPauseLimit = .zero
        settings.reachLimit = .milliseconds(200)
        return settings
    }()

    private static func batch(_ number: UInt64) -> SinkBatch {
        SinkBatch(table, number: number, rows: [[.time(0)]])
    }

    private static func entry(_ number: UInt64, lineage: Lineage = .first, state: String = "mine") -> SinkLedger {
        SinkLedger(lineage: lineage, number: BatchNumber(number), stateIdentity: state)
    }

    /// A delivery as a start makes it, of a state that froze so many batches and delivered so many.
    private static func open(_ producer: ScriptedProducer, frozen: UInt64, delivered: UInt64, isNew: Bool = false) throws -> OutputDelivery
    {
        func number(_ count: UInt64) -> BatchNumber? { count == 0 ? nil : BatchNumber(count) }
        let known = SinkTable(
            table: table, outboxName: "t@kafka", lineage: .first, lastFrozen: number(frozen), lastDelivered: number(delivered),
            isNewState: isNew,
            stateIdentity: "mine"
        )
        return try OutputDelivery(known, producer, settings: settings, logger: quietLogger)
    }

    /// Delivers three batches with these faults one after the other, starting a new process after each crash; how many
    /// processes it took.
    private func deliverThree(_ faults: [ScriptedBroker.Fault], _ broker: ScriptedBroker) throws -> Int {
        var (rest, processes, delivered) = (faults, 0, UInt64(0))
        while delivered < 3 {
            processes += 1
            let producer = ScriptedProducer(broker, script: rest)
            do {
                let delivery = try OutputDeliveryTests.open(producer, frozen: delivered + 1, delivered: delivered)
                while delivered < 3 {
                    let outcome = try delivery.deliver(OutputDeliveryTests.batch(delivered + 1)) { false }
                    try #require(outcome == .delivered)
                    // The state may learn of it or not: a crash right here is that of the next call, before anything.
                    delivered += 1
                }
            } catch is Crash {
            } catch let error as SourceError where error.kind == .retry {
                // The start gave up: a supervisor starts it again.
            }
            rest = producer.restOfScript
            try #require(processes < 40)
        }
        return processes
    }

    @Test(arguments: ScriptedBroker.Fault.allCases)
    func everySequenceOfFaultsGivesEachBatchOnce(first: ScriptedBroker.Fault) throws {
        let all = ScriptedBroker.Fault.allCases
        // The start reads the ledger twice and makes the client ready: faults there, then at every step of a delivery.
        for start in [[], [ScriptedBroker.Fault.none, .none, .none]] {
            for second in all {
                for third in all {
                    for fourth in all {
                        let script = start + [first, second, third, fourth]
                        let broker = ScriptedBroker()
                        _ = try deliverThree(script, broker)
                        #expect(broker.visible.map(\.number) == [1, 2, 3], "\(script)")
                        #expect(broker.ledger == OutputDeliveryTests.entry(3))
                    }
                }
            }
        }
    }

    @Test func aBatchThatLandedBeforeACrashIsNotSentAgain() throws {
        let broker = ScriptedBroker()
        let dying = ScriptedProducer(broker, script: [.none, .none, .none, .none, .crashAfter])
        #expect(throws: Crash.self) {
            try OutputDeliveryTests.open(dying, frozen: 1, delivered: 0, isNew: true).deliver(OutputDeliveryTests.batch(1)) { false }
        }
        #expect(broker.visible.isEmpty, "the commit is decided, and done when somebody waits for it")
        let next = ScriptedProducer(broker)
        let delivery = try OutputDeliveryTests.open(next, frozen: 1, delivered: 0)
        #expect(try delivery.deliver(OutputDeliveryTests.batch(1)) { false } == .delivered)
        #expect(broker.visible.map(\.number) == [1])
        #expect(next.calls.filter { $0 == "send" }.count == 1, "only the start's writing the ledger again: \(next.calls)")
    }

    @Test func anUnbrokenDeliveryReadsTheLedgerOnlyAtTheStart() throws {
        let producer = ScriptedProducer(ScriptedBroker())
        let delivery = try OutputDeliveryTests.open(producer, frozen: 0, delivered: 0, isNew: true)
        for number in 1...3 { _ = try delivery.deliver(OutputDeliveryTests.batch(UInt64(number))) { false } }
        #expect(
            producer.calls == ["readLedger", "initialize", "readLedger"] + Array(repeating: ["send", "commit"], count: 3).flatMap { $0 })
    }

    @Test func aStartWritesTheLedgerAgainSoThatBrokersDoNotForgetIt() throws {
        let broker = ScriptedBroker()
        broker.ledger = OutputDeliveryTests.entry(4)
        let producer = ScriptedProducer(broker)
        let delivery = try OutputDeliveryTests.open(producer, frozen: 4, delivered: 4)
        #expect(producer.calls == ["readLedger", "initialize", "readLedger", "send", "commit"])
        #expect(broker.ledger == OutputDeliveryTests.entry(4))
        try delivery.refreshLedger(after: .seconds(3600))
        #expect(producer.calls.count == 5, "that was only just done")
        try delivery.refreshLedger(after: .zero)
        #expect(producer.calls.count == 7)
        _ = try delivery.deliver(OutputDeliveryTests.batch(5)) { false }
        #expect(producer.calls.suffix(2) == ["send", "commit"])
    }

    @Test func writingTheLedgerAgainTakesNothingBackFromAnotherWorker() throws {
        let broker = ScriptedBroker()
        broker.ledger = OutputDeliveryTests.entry(4)
        let first = try OutputDeliveryTests.open(ScriptedProducer(broker), frozen: 4, delivered: 4)
        let second = try OutputDeliveryTests.open(ScriptedProducer(broker), frozen: 4, delivered: 4)
        #expect(throws: SourceError.self) { try first.refreshLedger(after: .zero) }
        #expect(throws: SourceError.self) { try first.deliver(OutputDeliveryTests.batch(5)) { false } }
        #expect(try second.deliver(OutputDeliveryTests.batch(5)) { false } == .delivered)
        #expect(broker.visible.map(\.number) == [5])
    }

    @Test func aWorkerThatWasShutOutStops() throws {
        let broker = ScriptedBroker()
        let first = try OutputDeliveryTests.open(ScriptedProducer(broker), frozen: 0, delivered: 0)
        _ = try OutputDeliveryTests.open(ScriptedProducer(broker), frozen: 0, delivered: 0)
        let error = #expect(throws: SourceError.self) { try first.deliver(OutputDeliveryTests.batch(1)) { false } }
        #expect(error?.kind == .fenced)
        #expect(broker.visible.isEmpty)
        #expect(first.status.withLock { $0.state } == .stopped)
    }

    struct LedgerCase: CustomTestStringConvertible {
        let found: SinkLedger?
        let frozen: UInt64
        let delivered: UInt64
        /// nil: it fits.
        let says: String?
        var testDescription: String { "\(found.map { "\($0)" } ?? "no ledger"), \(frozen) frozen, \(delivered) delivered" }
    }

    static let ledgers: [LedgerCase] = [
        LedgerCase(found: nil, frozen: 0, delivered: 0, says: nil),
        LedgerCase(found: nil, frozen: 1, delivered: 0, says: nil),
        LedgerCase(found: nil, frozen: 1, delivered: 1, says: "is gone"),
        LedgerCase(found: nil, frozen: 5, delivered: 4, says: "is gone"),
        LedgerCase(found: entry(1), frozen: 1, delivered: 0, says: nil),
        LedgerCase(found: entry(4), frozen: 5, delivered: 4, says: nil),
        LedgerCase(found: entry(5), frozen: 5, delivered: 4, says: nil),
        LedgerCase(found: entry(3), frozen: 5, delivered: 4, says: "batches up to 4 were delivered"),
        LedgerCase(found: entry(6), frozen: 5, delivered: 5, says: "made batches only up to 5"),
        LedgerCase(found: entry(1), frozen: 0, delivered: 0, says: "made batches only up to 0"),
        LedgerCase(found: entry(5, state: "lost"), frozen: 5, delivered: 5, says: "another state of this job"),
        LedgerCase(found: entry(5, lineage: Lineage(2)), frozen: 5, delivered: 5, says: "goes on there"),
    ]

    @Test(arguments: ledgers) func aStartChecksTheLedgerBeforeItShutsAnybodyOut(_ given: LedgerCase) throws {
        let broker = ScriptedBroker()
        broker.ledger = given.found
        let producer = ScriptedProducer(broker)
        let text = message { _ = try OutputDeliveryTests.open(producer, frozen: given.frozen, delivered: given.delivered) }
        #expect(text.contains(given.says ?? "no error"), "\(text)")
        if given.says != nil { #expect(producer.calls == ["readLedger"]) }
    }

    @Test func aBatchThatDoesNotFollowTheLedgerIsRefused() throws {
        let broker = ScriptedBroker()
        broker.ledger = OutputDeliveryTests.entry(3)
        let delivery = try OutputDeliveryTests.open(ScriptedProducer(broker), frozen: 5, delivered: 3)
        let error = #expect(throws: SourceError.self) { try delivery.deliver(OutputDeliveryTests.batch(5)) { false } }
        #expect(error?.message.contains("batches up to 4 were delivered") == true)
        #expect(broker.visible.isEmpty)
    }

    @Test func aStopLeavesADeliveryThatGetsNowhere() throws {
        let producer = ScriptedProducer(ScriptedBroker(), script: [.none, .none, .none] + Array(repeating: .refusedForNow, count: 1000))
        let delivery = try OutputDeliveryTests.open(producer, frozen: 1, delivered: 0)
        var asked = 0
        #expect(
            try delivery.deliver(OutputDeliveryTests.batch(1)) {
                asked += 1
                return asked > 30
            } == .cancelled)
    }

    @Test(arguments: [entry(17), entry(.max, lineage: Lineage(4), state: ""), entry(1, state: "9f3a")])
    func aLedgerIsReadAsItWasWritten(_ ledger: SinkLedger) {
        #expect(SinkLedger(ledger.description) == ledger)
        #expect(SinkLedger(ledger.description + " more") == nil && SinkLedger("17") == nil && SinkLedger("") == nil)
    }
}
