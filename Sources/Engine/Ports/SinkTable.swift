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
    package init(_ table: OutboxTable, _ restored: RestoredState) {
        let known = restored.outbox.first { $0.table == table.name }
        self.init(
            table: table.table, outboxName: table.name, lineage: restored.lineage, lastFrozen: known?.lastFrozen,
            lastDelivered: known?.lastDelivered, isNewState: restored.isNew, stateIdentity: restored.identity,
            lineageEnds: restored.rollback == nil ? restored.lineageEnds[table.name] ?? [] : nil, isDeclared: table.isDeclared,
            waitingLayouts: known?.waitingLayouts ?? [], knownLayouts: known?.layouts ?? []
        )
    }
}
