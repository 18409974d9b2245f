/// Where a worker's state is durable.
///
/// An implementor guarantees: `commit` makes the whole cut durable or nothing of it, and what `open` and `restore`
/// give back is exactly the sum of the cuts whose `commit` returned (or, after a crash, possibly of one more).
/// One thread calls everything but the `ColdStateReader`'s methods.
public protocol StateStore: ColdStateReader, AnyObject {
    /// What the store holds, for this job's stages and tables. Throws when it belongs to another job, was written by a
    /// newer version, or is damaged.
    func open(_ topology: Topology) throws -> RestoredState
    /// Remembers for ever how many partitions a topic or stage has; durable when it returns.
    func register(partitions: [String: Int]) throws
    /// Feeds a task's state tables; `memoryBudget` bounds what is loaded of the rows that can be read later.
    func restore(_ task: any StreamTask, memoryBudget: Int) throws
    /// Makes a cut durable. Throws a `Failure` of kind `retry` when trying again may help, as when the disk is full.
    func commit(_ cut: EpochCut) throws
    /// Housekeeping between epochs: compacting deltas, bounding logs, dropping old ledgers. A step takes about `time`, or as long
    /// as reading one task's deltas of a table does, and who reads cold state waits for it.
    func maintain(for time: Duration) throws -> Housekeeping
}

/// How far a store's housekeeping is.
public struct Housekeeping: Sendable, Equatable {
    public enum Left: Sendable, Equatable {
        case nothing
        /// The next step may follow.
        case some
        /// Steps are to follow before the next epoch is committed.
        case tooMuch
    }

    /// The last epoch whose changes lie in the keyed rows, so that records changed no later may be evicted from memory.
    public let compactedThrough: Epoch
    public let left: Left

    public init(compactedThrough: Epoch, left: Left) {
        self.compactedThrough = compactedThrough
        self.left = left
    }
}

extension StateStore {
    /// A step without a limit of time.
    public func maintain() throws -> Housekeeping { try maintain(for: .seconds(3600)) }
}

/// What a state store holds besides the tables' records.
public struct RestoredState: Sendable {
    /// True when the store was empty before it was opened.
    public let isNew: Bool
    public let lineage: Lineage
    /// What tells this state from others that the same job began with an empty store; empty where the store keeps none.
    public let identity: String
    /// The job's, for hashes that are stored: the same for as long as there is the state, wherever it is restored.
    public let hashKey: HashKey
    /// The last epoch committed; 0 before the first.
    public let epoch: Epoch
    /// When the last epoch in which records were read was committed, by the wall clock of then; nil when none is known.
    public var lastReadAt: EventTime?
    /// The version of the job of which a start looked at the newest records before it went on from the state, of a state that is itself
    /// looked at before it is opened; nil when none did, or the store does not keep it.
    public var inputLookedAtBy: Int?
    /// How many partitions each topic and each stage had.
    public let partitions: [String: Int]
    public let tasks: [TaskID: RestoredTask]
    /// Batches between tasks that no task has processed, in order of epochs.
    public let messages: [MessageBatch]
    public let outbox: [RestoredOutboxTable]
    /// What opening changed in the state tables, for people.
    public var changes: [String] = []
    /// How long that took; nil when nothing had to change.
    public var changesTook: Duration?
    /// What operators had passed over, since the state began.
    public var skipped: [SkippedRecords] = []
    /// What was done to the state since its last epoch.
    public var changeAtRest = ChangeAtRest.none
    /// What has to leave the sink before anything is delivered; nil when nothing has.
    public let rollback: RollbackPlan?
    /// What counts of each table's earlier lineages, in their order.
    public let lineageEnds: [String: [LineageEnd]]

    public init(
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
    public func outboxTables(of topology: Topology) -> [OutboxTable] {
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
    public func sinkTables(of topology: Topology, to sink: SinkName? = nil) -> [SinkTable] {
        outboxTables(of: topology).filter { $0.sink == sink }.map { SinkTable($0, self) }
    }

    /// What is restored of each of these tables' outboxes.
    public func outboxes(of tables: [OutboxTable]) -> [RestoredOutboxTable] {
        tables.map { table in
            outbox.first { $0.table == table.name } ?? RestoredOutboxTable(table: table.name, lastFrozen: nil, pending: [], undelivered: [])
        }
    }

    /// The first sink's tables that the state knows of or the job declares, by name: whatever of the job may be in it.
    public func tablesToRollBack(of topology: Topology) -> [String] {
        let declared = topology.tables.map(\.name)
        return declared + outbox.map(\.table).filter { OutboxTable.sink(ofName: $0) == nil && !declared.contains($0) }
    }

    /// Bytes of rows that are not delivered and of messages that are not processed.
    public var waitingBytes: Int {
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
public struct RestoredTask: Sendable, Equatable {
    public let watermark: EventTime
    /// As its last cut said when it moved the watermark.
    public let isEnded: Bool
    /// nil when it reads no partition or has read nothing.
    public let position: SourcePosition?
    /// To be raised before anything is read; nil when the watermark may stay where it is.
    public let raise: WatermarkRaise?

    public init(watermark: EventTime, isEnded: Bool = false, position: SourcePosition?, raise: WatermarkRaise? = nil) {
        self.watermark = watermark
        self.isEnded = isEnded
        self.position = position
        self.raise = raise
    }
}

/// How far a task's watermark has to rise because keys came to it from tasks that were further: no window that closed there
/// may open again here. What is open below it closes then as ever.
public struct WatermarkRaise: Sendable, Equatable {
    public let watermark: EventTime
    /// That it was so far elsewhere is because a bounded run ended, so that no timers fire.
    public let isEnded: Bool

    public init(to watermark: EventTime, isEnded: Bool) {
        self.watermark = watermark
        self.isEnded = isEnded
    }
}
