import Engine
import Simulation

/// Takes rows that wait for rows of the version at hand, as a state does that keeps no layouts: those that were never in a batch
/// are frozen together with new ones.
final class LayoutlessStore: PassingStore, @unchecked Sendable {  // One thread, as its superclass.
    override func open(_ topology: Topology) throws -> RestoredState {
        let restored = try inner.open(topology)
        let declared = Dictionary(uniqueKeysWithValues: topology.outboxTables.map { ($0.name, $0.table) })
        let outbox = restored.outbox.map { table in
            RestoredOutboxTable(
                table: table.table, lastFrozen: table.lastFrozen,
                pending: table.pending.map { LayoutlessStore.relabelled($0, declared[table.table]) },
                undelivered: table.undelivered, layouts: table.layouts
            )
        }
        return RestoredState(
            isNew: restored.isNew, lineage: restored.lineage, identity: restored.identity, hashKey: restored.hashKey, epoch: restored.epoch,
            partitions: restored.partitions, tasks: restored.tasks, messages: restored.messages, outbox: outbox,
            rollback: restored.rollback, lineageEnds: restored.lineageEnds
        )
    }

    private static func relabelled(_ chunk: OutboxChunk, _ layout: OutputTable?) -> OutboxChunk {
        OutboxChunk(id: chunk.id, layout: layout ?? chunk.layout, partition: chunk.partition, rowCount: chunk.rowCount, bytes: chunk.bytes)
    }
}

extension SimulatedImplementations {
    /// Reads what a batch holds by what the version at hand declares.
    static var readingByDeclaration: SimulatedImplementations {
        var implementations = SimulatedImplementations()
        implementations.layout = { batch, topology in topology.tables.first { $0.name == batch.table } ?? batch.layout }
        return implementations
    }

    /// Freezes rows of two layouts into one batch.
    static var freezingLayoutsTogether: SimulatedImplementations {
        var implementations = SimulatedImplementations()
        implementations.store = { LayoutlessStore($0) }
        return implementations
    }

    /// Hands messages over as they were sent.
    static var handingMessagesOverUnread: SimulatedImplementations {
        var implementations = SimulatedImplementations()
        implementations.reading = { _ in .asTheyAre }
        return implementations
    }

    /// Rolls back from the tables of the version at hand alone.
    static var rollingBackFromDeclaredTables: SimulatedImplementations {
        var implementations = SimulatedImplementations()
        implementations.rolledBackTables = { _, topology in topology.tables.map(\.name) }
        return implementations
    }
}
