import Engine
import Testing

@Suite("Kafka transactions: what is not known to be done is found out in the ledger before anything is sent")
struct TransactionalDeliveryTests {
    private static func entry(_ number: UInt64) -> SinkLedger {
        SinkLedger(lineage: .first, number: BatchNumber(number), stateIdentity: "s")
    }

    /// A machine at a step of the delivery of batch 2.
    private static func machine(at step: TransactionalDelivery.Step) -> TransactionalDelivery {
        var machine = TransactionalDelivery(ledger: entry(1))
        machine.deliver(entry(2))
        switch step {
        case .send: break
        case .commit: machine.performed(.done)
        case .abort: machine.performed(.abort)
        case .initialize: machine.performed(.lost)
        case .readLedger:
            machine.performed(.lost)
            machine.performed(.done)
        case .done, .stop: preconditionFailure("not a step to begin with")
        }
        precondition(machine.step == step)
        return machine
    }

    @Test(arguments: [
        (TransactionalDelivery.Step.send, TransactionalDelivery.Outcome.done, TransactionalDelivery.Step.commit),
        (.send, .retry, .abort), (.send, .abort, .abort), (.send, .lost, .initialize(anew: true)), (.send, .fenced, .stop(.fenced)),
        (.commit, .done, .done), (.commit, .retry, .commit), (.commit, .abort, .abort), (.commit, .lost, .initialize(anew: true)),
        (.commit, .fenced, .stop(.fenced)),
        (.abort, .done, .readLedger), (.abort, .retry, .abort), (.abort, .abort, .initialize(anew: true)),
        (.abort, .lost, .initialize(anew: true)), (.abort, .fenced, .stop(.fenced)),
        (.initialize(anew: true), .done, .readLedger), (.initialize(anew: true), .retry, .initialize(anew: false)),
        (.initialize(anew: true), .abort, .initialize(anew: true)), (.initialize(anew: true), .lost, .initialize(anew: true)),
        (.initialize(anew: true), .fenced, .stop(.fenced)),
    ])
    func everyOutcomeOfEveryStep(
        _ step: TransactionalDelivery.Step, _ outcome: TransactionalDelivery.Outcome, _ expected: TransactionalDelivery.Step
    ) {
        var machine = TransactionalDeliveryTests.machine(at: step)
        machine.performed(outcome)
        #expect(machine.step == expected)
    }

    @Test func theLedgerDecides() {
        func after(_ ledger: SinkLedger?) -> TransactionalDelivery.Step {
            var machine = TransactionalDeliveryTests.machine(at: .readLedger)
            machine.ledgerRead(ledger)
            return machine.step
        }
        let (one, two, three) = (
            TransactionalDeliveryTests.entry(1), TransactionalDeliveryTests.entry(2), TransactionalDeliveryTests.entry(3)
        )
        #expect(after(two) == .done)
        #expect(after(one) == .send)
        #expect(after(three) == .stop(.mismatch(.ahead(three, lastFrozen: BatchNumber(2)))))
        #expect(after(nil) == .stop(.mismatch(.missing(delivered: BatchNumber(1)))))
    }

    @Test func anAbsentLedgerIsRightForTheFirstBatchOnly() {
        var machine = TransactionalDelivery(ledger: nil)
        machine.deliver(TransactionalDeliveryTests.entry(1))
        #expect(machine.step == .send)
        machine = TransactionalDelivery(ledger: nil)
        machine.deliver(TransactionalDeliveryTests.entry(2))
        #expect(machine.step == .stop(.mismatch(.missing(delivered: BatchNumber(1)))))
    }

    @Test func aStepThatIsTriedForTooLongGetsANewClient() {
        var machine = TransactionalDeliveryTests.machine(at: .commit)
        for _ in 1..<TransactionalDelivery.attemptLimit {
            machine.performed(.retry)
            #expect(machine.step == .commit)
        }
        machine.performed(.retry)
        #expect(machine.step == .initialize(anew: true))
    }

    @Test func whatWasStoppedStaysSo() {
        var machine = TransactionalDeliveryTests.machine(at: .send)
        machine.performed(.fenced)
        machine.deliver(TransactionalDeliveryTests.entry(2))
        #expect(machine.step == .stop(.fenced))
    }

    @Test func aDeliveryLeftUnfinishedIsFoundOutFirst() {
        var machine = TransactionalDeliveryTests.machine(at: .commit)
        machine.deliver(TransactionalDeliveryTests.entry(2))
        #expect(machine.step == .initialize(anew: true))
    }
}
