import ClickHouseSink
import Engine

/// What a check knows of the state that a start would go on from.
enum FoundState {
    /// As the start will find it.
    case known(RestoredState)
    /// As a start will restore it first, from a checkpoint of a job that it may take over.
    case restorable(RestoredState)
    /// A worker has it: this is its newest checkpoint.
    case standIn(RestoredState)
    /// A worker has it, and no checkpoint tells of it.
    case running
    /// It is a finding itself, so that what has to fit it can't be judged.
    case finding

    /// How far it was; nil where that is not known.
    var restored: RestoredState? {
        switch self {
        case .known(let restored), .restorable(let restored), .standIn(let restored): restored
        case .running, .finding: nil
        }
    }

    /// What a start finds where nothing is.
    static let none = FoundState.known(blank(isNew: true))

    /// What stands for a state of which nothing is known.
    static func blank(isNew: Bool) -> RestoredState {
        RestoredState(
            isNew: isNew, lineage: .first, hashKey: HashKey(first: 0, second: 0), epoch: Epoch(0), partitions: [:], tasks: [:],
            messages: [], outbox: [])
    }

    /// Whether the start would look at the newest records before it begins, and be refused for what it finds.
    var beginsWithLook: Bool {
        switch self {
        case .known(let restored), .restorable(let restored), .standIn(let restored): StartLook.isDue(after: restored.inputLookedAtBy)
        case .running, .finding: false
        }
    }

    /// What a start would do with the tables. A worker that runs delivers more than its checkpoint knows of.
    var intent: StartIntent {
        switch self {
        case .known(let restored), .restorable(let restored):
            StartIntent(comparesLedger: true, rollsBack: restored.rollback?.stage == .due)
        case .standIn, .running, .finding: StartIntent(comparesLedger: false, rollsBack: false)
        }
    }
}
