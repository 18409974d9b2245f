/// Where a job's rows go, such as ClickHouse.
///
/// An implementor guarantees: `deliver` returns `.delivered` only when every row of the batch is in the table exactly
/// once, whatever happened to this or to an earlier attempt; it never changes the batch's number, rows or their order.
public protocol BatchSink: AnyObject, Sendable {
    /// Makes sure that every table exists and can hold its rows, and that what the sink holds fits the state's ledger;
    /// throws, saying what to do, when it does not. Returns how each table is partitioned.
    ///
    /// Rows are delivered by the names of their own layout's columns, whatever the table's present declaration says.
    func open(_ tables: [SinkTable]) throws -> [String: RowPartitioning]
    /// Delivers one batch; blocks, for as long as the sink is down. Called from one thread a table, in order of numbers.
    /// `mayHaveBeenSent`: an earlier process may have sent it, so what landed is found out first.
    /// Throws only what no waiting mends: a batch that landed in part, a table that was replaced.
    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) throws -> DeliveryOutcome
    /// Takes back the rows of earlier lineages that the plan does not count from the tables of these names, of which one that
    /// is not there holds none; blocks, for as long as the sink is down. May be
    /// repeated at any time, also while rows of the present lineage are delivered.
    func rollBack(_ plan: RollbackPlan, from tables: [String], isCancelled: @escaping @Sendable () -> Bool) throws -> RollbackOutcome
    /// How each table's delivery stands; may be asked of any thread.
    var status: [TableStatus] { get }
    /// What the sink's server says the time is now, going by when it last said so; nil while it has not. May be asked of any thread.
    var serverTime: EventTime? { get }
    /// Asks the server what time it is, for `serverTime`; blocks for as long as a query may take. A server that does not answer leaves it
    /// as it was.
    func askServerTime()
}

extension BatchSink {
    /// Of a sink that has nothing to tell.
    public var status: [TableStatus] { [] }

    /// Of a sink without a server that tells the time.
    public var serverTime: EventTime? { nil }
    public func askServerTime() {}

    /// Of a sink that can't take anything back: it refuses.
    public func rollBack(
        _ plan: RollbackPlan, from tables: [String], isCancelled: @escaping @Sendable () -> Bool
    ) throws -> RollbackOutcome { throw NothingCanBeRolledBack() }
}

/// What was delivered to a sink after the checkpoint that was restored can't be taken back from it.
public struct NothingCanBeRolledBack: Failure {
    public let kind = FailureKind.invalid
    public let message =
        "the state was restored from a checkpoint, and what was delivered after it can't be taken back from this sink: go on from the newest state directory of the job, or start anew with an empty one, new tables and topics"
    public let cause: (any Error)? = nil

    public init() {}
}

/// A table and what the state knows of its delivery, as the sink checks it when it opens.
public struct SinkTable: Sendable {
    public let table: OutputTable
    /// The name by which its batches come.
    public let outboxName: String
    /// False when this version of the job does not have the table: then it need not be there unless rows wait for it, and is
    /// never created.
    public let isDeclared: Bool
    /// The layouts of the rows that wait: the table must be able to take those, too.
    public let waitingLayouts: [OutputTable]
    /// What any version of the job has declared of the table; nobody minds their columns.
    public let knownLayouts: [OutputTable]
    public let lineage: Lineage
    /// The last batch number that the state has frozen in this lineage; nil when there is none.
    public let lastFrozen: BatchNumber?
    /// The last batch number that the state knows to be delivered; nil when there is none.
    public let lastDelivered: BatchNumber?
    /// True when the state directory was empty: then the sink must hold no row of this job.
    public let isNewState: Bool
    /// The state's identity: a sink that remembers batches by name must not take those of an earlier state for this one's.
    public let stateIdentity: String
    /// What counts of the earlier lineages: the sink must hold no row of them beyond. nil while it may, because their
    /// rollback is not over.
    public let lineageEnds: [LineageEnd]?

    public init(
        table: OutputTable, outboxName: String? = nil, lineage: Lineage, lastFrozen: BatchNumber?, lastDelivered: BatchNumber? = nil,
        isNewState: Bool, stateIdentity: String = "", lineageEnds: [LineageEnd]? = nil, isDeclared: Bool = true,
        waitingLayouts: [OutputTable] = [],
        knownLayouts: [OutputTable] = []
    ) {
        self.table = table
        self.isDeclared = isDeclared
        self.waitingLayouts = waitingLayouts
        self.knownLayouts = knownLayouts
        self.outboxName = outboxName ?? table.name
        self.lineage = lineage
        self.lastFrozen = lastFrozen
        self.lastDelivered = lastDelivered
        self.isNewState = isNewState
        self.stateIdentity = stateIdentity
        self.lineageEnds = lineageEnds
    }
}

extension SinkTable {
    /// A table of the outbox as the state knows it.
    public init(_ table: OutboxTable, _ restored: RestoredState) {
        let known = restored.outbox.first { $0.table == table.name }
        self.init(
            table: table.table, outboxName: table.name, lineage: restored.lineage, lastFrozen: known?.lastFrozen,
            lastDelivered: known?.lastDelivered, isNewState: restored.isNew, stateIdentity: restored.identity,
            lineageEnds: restored.rollback == nil ? restored.lineageEnds[table.name] ?? [] : nil, isDeclared: table.isDeclared,
            waitingLayouts: known?.waitingLayouts ?? [], knownLayouts: known?.layouts ?? []
        )
    }
}

/// How a delivery ended.
public enum DeliveryOutcome: Sendable, Equatable {
    case delivered
    /// `isCancelled` said so first: what landed is unknown, and the batch stays in the outbox.
    case cancelled
}
