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
package struct NothingCanBeRolledBack: Failure {
    package let kind = FailureKind.invalid
    package let message =
        "the state was restored from a checkpoint, and what was delivered after it can't be taken back from this sink: go on from the newest state directory of the job, or start anew with an empty one, new tables and topics"
    package let cause: (any Error)? = nil

    package init() {}
}

/// How a delivery ended.
public enum DeliveryOutcome: Sendable, Equatable {
    case delivered
    /// `isCancelled` said so first: what landed is unknown, and the batch stays in the outbox.
    case cancelled
}
