/// What a state store holds besides the tables' records.
package struct RestoredState: Sendable {
    /// True when the store was empty before it was opened.
    package let isNew: Bool
    package let lineage: Lineage
    /// What tells this state from others that the same job began with an empty store; empty where the store keeps none.
    package let identity: String
    /// The job's, for hashes that are stored: the same for as long as there is the state, wherever it is restored.
    package let hashKey: HashKey
    /// The last epoch committed; 0 before the first.
    package let epoch: Epoch
    /// When the last epoch in which records were read was committed, by the wall clock of then; nil when none is known.
    package var lastReadAt: EventTime?
    /// The version of the job of which a start looked at the newest records before it went on from the state, of a state that is itself
    /// looked at before it is opened; nil when none did, or the store does not keep it.
    package var inputLookedAtBy: Int?
    /// How many partitions each topic and each stage had.
    package let partitions: [String: Int]
    package let tasks: [TaskID: RestoredTask]
    /// Batches between tasks that no task has processed, in order of epochs.
    package let messages: [MessageBatch]
    package let outbox: [RestoredOutboxTable]
    /// What opening changed in the state tables, for people.
    package var changes: [String] = []
    /// How long that took; nil when nothing had to change.
    package var changesTook: Duration?
    /// What operators had passed over, since the state began.
    package var skipped: [SkippedRecords] = []
    /// What was done to the state since its last epoch.
    package var changeAtRest = ChangeAtRest.none
    /// What has to leave the sink before anything is delivered; nil when nothing has.
    package let rollback: RollbackPlan?
    /// What counts of each table's earlier lineages, in their order.
    package let lineageEnds: [String: [LineageEnd]]

    package init(
        isNew: Bool, lineage: Lineage, identity: String = "", hashKey: HashKey, epoch: Epoch, partitions: [String: Int],
        tasks: [TaskID: RestoredTask],
        messages: [MessageBatch], outbox: [RestoredOutboxTable], rollback: RollbackPlan? = nil,
        lineageEnds: [String: [LineageEnd]] = [:]
    ) {
        self.isNew = isNew
        self.lineage = lineage
        self.identity = identity
        self.hashKey = hashKey
        self.epoch = epoch
        self.partitions = partitions
        self.tasks = tasks
        self.messages = messages
        self.outbox = outbox
        self.rollback = rollback
        self.lineageEnds = lineageEnds
    }
}

extension RestoredState {
    /// Every table that rows go to: those that the job declares, then those of other versions of it, whose rows may still wait.
    package func outboxTables(of topology: Topology) -> [OutboxTable] {
        let declared = topology.outboxTables
        let names = Set(declared.map(\.name))
        return declared
            + outbox.compactMap { known in
                guard !names.contains(known.table), let layout = known.waitingLayouts.last ?? known.layouts.last else { return nil }
                let sink = OutboxTable.sink(ofName: known.table)
                // A sink that is switched off has nothing to deliver: a store refuses to open while rows wait for it.
                // Of a topic nobody has to know any more once nothing waits for it: opening it would create it anew.
                guard sink.map({ topology.additionalSinks.contains($0) && !known.waitingLayouts.isEmpty }) ?? true else { return nil }
                return OutboxTable(layout, sink: sink, isDeclared: false)
            }
    }

    /// A sink's tables as the state knows them; nil: the job's first sink.
    package func sinkTables(of topology: Topology, to sink: SinkName? = nil) -> [SinkTable] {
        outboxTables(of: topology).filter { $0.sink == sink }.map { SinkTable($0, self) }
    }

    /// What is restored of each of these tables' outboxes.
    package func outboxes(of tables: [OutboxTable]) -> [RestoredOutboxTable] {
        tables.map { table in
            outbox.first { $0.table == table.name } ?? RestoredOutboxTable(table: table.name, lastFrozen: nil, pending: [], undelivered: [])
        }
    }

    /// The first sink's tables that the state knows of or the job declares, by name: whatever of the job may be in it.
    package func tablesToRollBack(of topology: Topology) -> [String] {
        let declared = topology.tables.map(\.name)
        return declared + outbox.map(\.table).filter { OutboxTable.sink(ofName: $0) == nil && !declared.contains($0) }
    }

    /// Bytes of rows that are not delivered and of messages that are not processed.
    package var waitingBytes: Int {
        let rows = outbox.reduce(0) { sum, table in
            (table.pending + table.undelivered.flatMap(\.chunks)).reduce(sum) { $0 + $1.bytes.count }
        }
        return messages.reduce(rows) { $0 + $1.bytes.count }
    }

    /// True when a batch of the table is recorded as delivered, in whatever lineage: an earlier run saw to it that a checkpoint
    /// knows the table.
    func hasDelivered(to table: String) -> Bool {
        lineageEnds[table] != nil || outbox.contains { $0.table == table && $0.lastDelivered != nil }
    }
}

/// How far a task was.
package struct RestoredTask: Sendable, Equatable {
    package let watermark: EventTime
    /// As its last cut said when it moved the watermark.
    package let isEnded: Bool
    /// nil when it reads no partition or has read nothing.
    package let position: SourcePosition?
    /// To be raised before anything is read; nil when the watermark may stay where it is.
    package let raise: WatermarkRaise?

    package init(watermark: EventTime, isEnded: Bool = false, position: SourcePosition?, raise: WatermarkRaise? = nil) {
        self.watermark = watermark
        self.isEnded = isEnded
        self.position = position
        self.raise = raise
    }
}

/// How far a task's watermark has to rise because keys came to it from tasks that were further: no window that closed there
/// may open again here. What is open below it closes then as ever.
package struct WatermarkRaise: Sendable, Equatable {
    package let watermark: EventTime
    /// That it was so far elsewhere is because a bounded run ended, so that no timers fire.
    package let isEnded: Bool

    package init(to watermark: EventTime, isEnded: Bool) {
        self.watermark = watermark
        self.isEnded = isEnded
    }
}
