import Engine
import Foundation
import Simulation
import Synchronization

/// A sink in memory. A batch that comes again must be the same as before, and counts once; what came how often is kept.
package final class MemorySink: BatchSink {
    private struct State {
        var opened: [SinkTable] = []
        var batches: [SinkBatchID: [OutboxChunk]] = [:]
        var deliveries: [(id: SinkBatchID, mayHaveBeenSent: Bool)] = []
        var isDown = false
        var waiting = 0
        var abandoned = 0
        var failure: MemorySinkError?
        var rollbacks: [RollbackPlan.Stage] = []
        var holdsSecondRollback = false
        var serverTime: EventTime?
        var serverTimeWhenAsked: EventTime?
    }

    private let state = Mutex(State())
    private let partitioning: RowPartitioning

    package init(partitioning: RowPartitioning = .month) { self.partitioning = partitioning }

    /// While the sink is down deliveries wait, until they are cancelled.
    package func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    /// The next delivery fails for good.
    package func fail(with failure: MemorySinkError) { state.withLock { $0.failure = failure } }

    /// Until then the second look for rows to roll back waits, or until it is cancelled.
    package func holdSecondRollback(_ holds: Bool) { state.withLock { $0.holdsSecondRollback = holds } }

    /// What the sink's server says from now on, or from when it is asked the next time.
    package func setServerTime(_ time: EventTime, whenAsked: Bool = false) {
        state.withLock { if whenAsked { $0.serverTimeWhenAsked = time } else { $0.serverTime = time } }
    }

    package var serverTime: EventTime? { state.withLock { $0.serverTime } }
    package func askServerTime() { state.withLock { $0.serverTime = $0.serverTimeWhenAsked ?? $0.serverTime } }

    /// As they were begun.
    package var rollbacks: [RollbackPlan.Stage] { state.withLock { $0.rollbacks } }

    package var opened: [SinkTable] { state.withLock { $0.opened } }
    package var deliveries: [(id: SinkBatchID, mayHaveBeenSent: Bool)] { state.withLock { $0.deliveries } }

    /// Deliveries that are under way.
    package var waitingDeliveries: Int { state.withLock { $0.waiting } }

    /// Deliveries that were cancelled while the sink was down.
    package var abandonedDeliveries: Int { state.withLock { $0.abandoned } }

    /// The newest epoch of which a row was delivered; nil before the first.
    package var newestEpochDelivered: Epoch? { state.withLock { $0.batches.values.flatMap { $0.map(\.id.epoch) }.max() } }

    /// All rows with their names, for `SimulationChecks`.
    package var rows: [SimulatedSink.Row] {
        state.withLock { state in
            state.batches.flatMap { id, chunks in
                chunks.flatMap { chunk in RowText.rows(of: chunk).map { (chunk.layout, $0) } }.enumerated().map { number, row in
                    SimulatedSink.Row(batch: id, row: number, layout: row.0, values: row.1)
                }
            }
        }
    }

    package func open(_ tables: [SinkTable]) -> [String: RowPartitioning] {
        state.withLock { $0.opened = tables }
        return Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, partitioning) })
    }

    package func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) throws -> DeliveryOutcome {
        state.withLock { $0.waiting += 1 }
        defer { state.withLock { $0.waiting -= 1 } }
        while state.withLock({ $0.isDown }) {
            if isCancelled() {
                state.withLock { $0.abandoned += 1 }
                return .cancelled
            }
            usleep(2_000)
        }
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            if let before = state.batches[batch.id], before != batch.chunks { throw MemorySinkError(.bug, "\(batch.id) changed its rows") }
            state.batches[batch.id] = batch.chunks
            state.deliveries.append((batch.id, mayHaveBeenSent))
            return .delivered
        }
    }

    /// Removes the batches of earlier lineages that the plan does not count.
    package func rollBack(_ plan: RollbackPlan, from tables: [String], isCancelled: @escaping @Sendable () -> Bool) -> RollbackOutcome {
        state.withLock { $0.rollbacks.append(plan.stage) }
        while plan.stage == .again && state.withLock({ $0.holdsSecondRollback }) {
            if isCancelled() { return .cancelled }
            usleep(2_000)
        }
        return state.withLock { state in
            var removed: [String: Int] = [:]
            for (id, chunks) in state.batches where id.lineage < plan.lineage {
                let end = plan.tables[id.table]?.first { $0.lineage == id.lineage }?.lastBatch
                if let end, id.number <= end { continue }
                state.batches[id] = nil
                removed[id.table, default: 0] += chunks.map(\.rowCount).reduce(0, +)
            }
            return .rolledBack(rowsPerTable: removed)
        }
    }
}

package struct MemorySinkError: Failure {
    package let kind: FailureKind
    package let message: String
    package let cause: (any Error)?

    package init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
