/// What the durable state holds of one table's outbox.
package struct RestoredOutboxTable: Sendable {
    package let table: String
    /// The last batch frozen in this lineage; nil before the first.
    package let lastFrozen: BatchNumber?
    package let pending: [OutboxChunk]
    /// Frozen and not recorded as delivered, in order of numbers: each may have been sent.
    package let undelivered: [SinkBatch]
    /// The table as the job's versions have declared it, those that were met first before the others.
    package let layouts: [OutputTable]

    package init(table: String, lastFrozen: BatchNumber?, pending: [OutboxChunk], undelivered: [SinkBatch], layouts: [OutputTable] = []) {
        self.table = table
        self.layouts = layouts
        self.lastFrozen = lastFrozen
        self.pending = pending
        self.undelivered = undelivered
    }

    /// The layouts of the rows that wait, each once, in the order in which they are to be delivered.
    package var waitingLayouts: [OutputTable] {
        var found: [OutputTable] = []
        for layout in undelivered.map(\.layout) + pending.map(\.layout) where !found.contains(layout) { found.append(layout) }
        return found
    }

    /// The last batch recorded as delivered: they are delivered in order. nil before the first.
    package var lastDelivered: BatchNumber? {
        guard let first = undelivered.first else { return lastFrozen }
        return first.number.number > 1 ? BatchNumber(first.number.number - 1) : nil
    }
}
