import Engine
import Testing

@Suite("Promise 2 and 3: every broken attempt is unknown, and what landed is counted")
struct BatchDeliveryTests {
    @Test func anAcknowledgedFirstAttemptIsDelivered() {
        var delivery = BatchDelivery(rowCount: 3, mayHaveBeenSent: false)
        #expect(delivery.step == .send)
        delivery.sent(.acknowledged)
        #expect(delivery.step == .done(afterError: false))
    }

    @Test(arguments: [(0, BatchDelivery.Step.send), (3, .done(afterError: false)), (1, .stop(found: 1)), (6, .stop(found: 6))])
    func afterAnUnknownAttemptTheCountDecides(found: Int, expected: BatchDelivery.Step) {
        var delivery = BatchDelivery(rowCount: 3, mayHaveBeenSent: false)
        delivery.sent(.unknown)
        #expect(delivery.step == .awaitQuiet)
        delivery.becameQuiet()
        #expect(delivery.step == .count)
        delivery.counted(found)
        #expect(delivery.step == expected)
    }

    @Test func aBatchOfAnEarlierProcessIsCountedBeforeItIsSent() {
        var delivery = BatchDelivery(rowCount: 3, mayHaveBeenSent: true)
        #expect(delivery.step == .awaitQuiet)
        delivery.becameQuiet()
        delivery.counted(0)
        #expect(delivery.step == .send)
        delivery.sent(.acknowledged)
        #expect(delivery.step == .count, "an acknowledged resend is counted too")
        delivery.counted(0)
        #expect(delivery.step == .stop(found: 0), "rows that vanish after an acknowledgement are the operator's to explain")
    }

    @Test func rowsThatLandedDespiteAnErrorAreReportedAsSuch() {
        var delivery = BatchDelivery(rowCount: 2, mayHaveBeenSent: false)
        delivery.sent(.answeredWithError)
        delivery.becameQuiet()
        delivery.counted(2)
        #expect(delivery.step == .done(afterError: true))
    }
}
