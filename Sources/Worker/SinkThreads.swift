import Engine
import Foundation
import Synchronization

/// One thread a table and sink that delivers batches, in order.
///
/// `@unchecked Sendable`: the members are constants, monitors and atomics.
final class SinkThreads: @unchecked Sendable {
    private struct Order: Sendable {
        let batch: SinkBatch
        let mayHaveBeenSent: Bool
    }

    private struct Orders {
        var next: Order?
        var isStopped = false
    }

    private let sinks: [String: any BatchSink]
    private let orders: [String: Monitor<Orders>]
    private let ownership: OwnershipWatch?
    private let isCancelled = Atomic(false)
    private let running: Monitor<Int>
    private let finished: @Sendable (SinkBatchID, Result<DeliveryOutcome, any Error>) -> Void

    /// Between two askings whether a batch may be delivered.
    private static let askAgain = Duration.milliseconds(100)

    /// `sinks`: where the batches of each table of the outbox go, by its name. `ownership`: asked before each
    /// delivery; a delivery under way is abandoned when the job is lost.
    init(_ sinks: [String: any BatchSink], ownership: OwnershipWatch?, finished: @escaping @Sendable (SinkBatchID, Result<DeliveryOutcome, any Error>) -> Void) {
        self.sinks = sinks
        self.finished = finished
        self.ownership = ownership
        orders = sinks.mapValues { _ in Monitor(Orders()) }
        running = Monitor(sinks.count)
    }

    func start() {
        for (table, sink) in sinks {
            let thread = Thread { [self] in
                run(orders[table]!, sink)
                running.update { $0 -= 1 }
            }
            thread.name = "sink \(table)"
            thread.start()
        }
    }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool) {
        orders[batch.table]?.update { $0.next = Order(batch: batch, mayHaveBeenSent: mayHaveBeenSent) }
    }

    /// Ends the threads, abandoning deliveries under way, and waits for them.
    func stop() {
        isCancelled.store(true, ordering: .releasing)
        for orders in orders.values { orders.update { $0.isStopped = true } }
        while running.wait(upTo: .seconds(1), { $0 == 0 ? true : nil }) == nil {}
    }

    private func run(_ orders: Monitor<Orders>, _ sink: any BatchSink) {
        while true {
            let waited = orders.wait(upTo: .seconds(3600)) { orders -> Order?? in
                if orders.isStopped { return .some(nil) }
                guard let order = orders.next else { return nil }
                orders.next = nil
                return .some(order)
            }
            guard let waited else { continue }
            guard let order = waited else { return }
            let result = Result {
                while let ownership, try !ownership.mayDeliver() {
                    if isCancelled.load(ordering: .acquiring) { return DeliveryOutcome.cancelled }
                    Thread.sleep(forTimeInterval: SinkThreads.askAgain.seconds)
                }
                return try sink.deliver(order.batch, mayHaveBeenSent: order.mayHaveBeenSent) { [self] in
                    isCancelled.load(ordering: .acquiring) || ownership?.isLost == true
                }
            }
            finished(order.batch.id, result)
        }
    }
}
