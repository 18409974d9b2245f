import Engine
import Foundation
import Synchronization

/// One thread a table that delivers batches to the sink, in order.
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

    private let sink: any BatchSink
    private let orders: [String: Monitor<Orders>]
    private let isCancelled = Atomic(false)
    private let running: Monitor<Int>
    private let finished: @Sendable (SinkBatchID, Result<DeliveryOutcome, any Error>) -> Void

    init(_ sink: any BatchSink, tables: [String], finished: @escaping @Sendable (SinkBatchID, Result<DeliveryOutcome, any Error>) -> Void) {
        self.sink = sink
        self.finished = finished
        orders = Dictionary(uniqueKeysWithValues: tables.map { ($0, Monitor(Orders())) })
        running = Monitor(tables.count)
    }

    func start() {
        for (table, orders) in orders {
            let thread = Thread { [self] in
                run(orders)
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

    private func run(_ orders: Monitor<Orders>) {
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
                try sink.deliver(order.batch, mayHaveBeenSent: order.mayHaveBeenSent) { [self] in isCancelled.load(ordering: .acquiring) }
            }
            finished(order.batch.id, result)
        }
    }
}
