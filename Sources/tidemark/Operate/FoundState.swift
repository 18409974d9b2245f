import ClickHouseSink
import Engine

/// What a check knows of the state that a start would go on from.
enum FoundState {
    /// As the start will find it; nil: there is none yet.
    case known(RestoredState?)
    /// A worker has it: this is its newest checkpoint.
    case standIn(RestoredState)
    /// A worker has it, and no checkpoint tells of it.
    case running
    /// It is to be restored first, and then rows be withdrawn or not.
    case unrestored(withdraws: Bool)
    /// What has to fit it can't be judged, for this reason.
    case unknown(String)

    static let finding = FoundState.unknown("the state is a finding")
    static let unrestoredReason = "the state is to be restored first"

    /// How far it was; nil where that is not known, or nothing.
    var restored: RestoredState? {
        switch self {
        case .known(let restored): restored
        case .standIn(let restored): restored
        case .running, .unrestored, .unknown: nil
        }
    }

    /// Whether the start would look at the newest records before it begins.
    var beginsWithLook: Bool {
        switch self {
        case .known, .standIn: StartLook.isDue(after: restored?.inputLookedAtBy)
        case .unrestored: true
        case .running, .unknown: false
        }
    }

    /// What a start would do with the tables. A worker that runs delivers more than its checkpoint knows of.
    var intent: StartIntent {
        switch self {
        case .known(let restored): StartIntent(comparesLedger: true, withdraws: restored?.withdrawal != nil)
        case .unrestored(let withdraws): StartIntent(comparesLedger: false, withdraws: withdraws)
        case .standIn, .running, .unknown: StartIntent(comparesLedger: false, withdraws: false)
        }
    }

    /// Every table that rows go to or, as far as the state is known, wait for.
    func outboxTables(of topology: Topology) -> [OutboxTable] { restored?.outboxTables(of: topology) ?? topology.outboxTables }

    /// The tables of the job's first sink as the state knows them.
    func sinkTables(of topology: Topology) -> [SinkTable] { outboxTables(of: topology).filter { $0.sink == nil }.map(sinkTable) }

    /// A table as the state knows it; nothing is known of any where there is no state.
    func sinkTable(_ table: OutboxTable) -> SinkTable {
        if let restored { return SinkTable(table, restored) }
        return SinkTable(table: table.table, outboxName: table.name, lineage: .first, lastFrozen: nil, isNewState: true)
    }
}
