import Engine
import Foundation
import Synchronization

/// One thread a table and sink that delivers batches, in order.
///
/// `@unchecked Sendable`: the members are constants, atomics and, once started, the same threads for ever.
final class SinkThreads: @unchecked Sendable {
    private struct Order: Sendable {
        let batch: SinkBatch
        let mayHaveBeenSent: Bool
    }

    private let sinks: [String: any BatchSink]
    private var threads: [String: OrderThread<Order>] = [:]
    private let ownership: OwnershipWatch?
    private let isCancelled = Atomic(false)
    private let finished: @Sendable (SinkBatchID, Result<DeliveryOutcome, any Error>) -> Void

    /// Between two askings whether a batch may be delivered.
    private static let askAgain = Duration.milliseconds(100)

    /// `sinks`: where the batches of each table of the outbox go, by its name. `ownership`: asked before each
    /// delivery; one under way is abandoned when the job is lost, or, with shared durability, when nobody says whose it is.
    init(
        _ sinks: [String: any BatchSink], ownership: OwnershipWatch?,
        finished: @escaping @Sendable (SinkBatchID, Result<DeliveryOutcome, any Error>) -> Void
    ) {
        self.sinks = sinks
        self.finished = finished
        self.ownership = ownership
    }

    /// To be called once, before anything is delivered.
    func start() {
        for (table, sink) in sinks { threads[table] = OrderThread("sink \(table)") { [self] order in deliver(order, to: sink) } }
    }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool) {
        threads[batch.table]?.order(Order(batch: batch, mayHaveBeenSent: mayHaveBeenSent))
    }

    /// Ends the threads, abandoning deliveries under way, and waits for them.
    func stop() {
        isCancelled.store(true, ordering: .releasing)
        for thread in threads.values { thread.stop() }
        for thread in threads.values { while !thread.awaitEnd(upTo: .seconds(1)) {} }
    }

    private func deliver(_ order: Order, to sink: any BatchSink) {
        let result = Result {
            var mayHaveBeenSent = order.mayHaveBeenSent
            while try awaitOwnership() {
                let outcome = try sink.deliver(order.batch, mayHaveBeenSent: mayHaveBeenSent) { [self] in
                    isStopping || ownership?.mustHold == true
                }
                if outcome == .delivered || isStopping { return outcome }
                mayHaveBeenSent = true
            }
            return .cancelled
        }
        finished(order.batch.id, result)
    }

    private var isStopping: Bool { isCancelled.load(ordering: .acquiring) }

    /// False when stopped before the job was known to be this worker's. Throws when it is another's.
    private func awaitOwnership() throws -> Bool {
        while let ownership, try !ownership.mayDeliver() {
            if isStopping { return false }
            Thread.sleep(forTimeInterval: SinkThreads.askAgain.seconds)
        }
        return true
    }
}
