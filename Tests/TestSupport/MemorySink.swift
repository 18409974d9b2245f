import Engine
import Foundation
import Simulation
import Synchronization

/// A sink in memory. A batch that comes again must be the same as before, and counts once; what came how often is kept.
public final class MemorySink: BatchSink {
    private struct State {
        var tables: [String: OutputTable] = [:]
        var opened: [SinkTable] = []
        var batches: [SinkBatchID: [OutboxChunk]] = [:]
        var deliveries: [(id: SinkBatchID, mayHaveBeenSent: Bool)] = []
        var isDown = false
        var failure: MemorySinkError?
    }

    private let state = Mutex(State())
    private let partitioning: RowPartitioning

    public init(partitioning: RowPartitioning = .month) { self.partitioning = partitioning }

    /// While the sink is down deliveries wait, until they are cancelled.
    public func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    /// The next delivery fails for good.
    public func fail(with failure: MemorySinkError) { state.withLock { $0.failure = failure } }

    public var opened: [SinkTable] { state.withLock { $0.opened } }
    public var deliveries: [(id: SinkBatchID, mayHaveBeenSent: Bool)] { state.withLock { $0.deliveries } }

    /// The newest epoch of which a row was delivered; nil before the first.
    public var newestEpochDelivered: Epoch? { state.withLock { $0.batches.values.flatMap { $0.map(\.id.epoch) }.max() } }

    /// All rows with their names, for `SimulationChecks`.
    public var rows: [SimulatedSink.Row] {
        state.withLock { state in
            state.batches.flatMap { id, chunks in
                chunks.flatMap { RowText.rows(of: $0, state.tables[id.table]!) }.enumerated().map { SimulatedSink.Row(batch: id, row: $0, text: $1) }
            }
        }
    }

    public func open(_ tables: [SinkTable]) -> [String: RowPartitioning] {
        state.withLock { state in
            state.opened = tables
            for table in tables { state.tables[table.outboxName] = table.table }
        }
        return Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, partitioning) })
    }

    public func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) throws -> DeliveryOutcome {
        while state.withLock({ $0.isDown }) {
            if isCancelled() { return .cancelled }
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
}

public struct MemorySinkError: Failure {
    public let kind: FailureKind
    public let message: String
    public let cause: (any Error)? = nil

    public init(_ kind: FailureKind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
