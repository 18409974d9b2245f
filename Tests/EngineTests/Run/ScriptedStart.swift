@testable import Engine

/// What surrounds a start that a test sets up: a state, topics, an archive and what else there is, all in memory.
final class ScriptedStart: StartSurroundings, RestorationSurroundings {
    struct Silence: Failure {
        let kind = FailureKind.retry
        let message = "no answer"
        var cause: (any Error)? { nil }
    }

    var restored = ScriptedStart.state(isNew: false)
    /// How many partitions each topic has.
    var topics = ["topic": 2]
    var archiveAnswers = true
    var endsAreKnown = true
    /// nil when there is nothing to restore.
    var checkpoint: RestorableCheckpoint?
    /// True for a start that is only looked at: what it would be refused for is noted.
    let isLookedAt: Bool
    private(set) var refused: [StartRefusal] = []
    /// What was done, in order.
    private(set) var steps: [String] = []

    init(isLookedAt: Bool) { self.isLookedAt = isLookedAt }

    /// Built with two partitions of the topic; `lineage`: that it was restored as, with rows to be rolled back.
    static func state(isNew: Bool, lineage: Lineage? = nil) -> RestoredState {
        RestoredState(
            isNew: isNew, lineage: lineage ?? .first, hashKey: .ofTests, epoch: Epoch(isNew ? 0 : 7),
            partitions: isNew ? [:] : ["topic": 2, "messages": 1], tasks: [:], messages: [], outbox: [],
            rollback: lineage.map { RollbackPlan(stage: .due, lineage: $0, tables: [:]) }
        )
    }

    func refuse(_ refusal: StartRefusal) throws {
        guard isLookedAt else { throw refusal }
        refused.append(refusal)
    }

    let now = Duration.zero
    func tell(_ remark: StartRemark) {}
    func open(_ topology: Topology) -> RestoredState { restored }

    func claim(_ change: ChangeAtRest, mustAnswer: Bool) throws -> ArchiveStanding {
        guard archiveAnswers else { throw Silence() }
        steps.append("claim")
        return ArchiveStanding(continues: nil, covered: nil)
    }

    func keepChanges(after epoch: Epoch) -> Bool { true }

    func publishFirst(_ reason: FinishedCheckpoint.Reason) -> PublishedCheckpoint? {
        steps.append("publish")
        return isLookedAt ? nil : PublishedCheckpoint(number: 1, epoch: restored.epoch, addedBytes: 1, totalBytes: 1)
    }

    func endSupersession() {}
    func partitionCount(of topic: String) -> Int { topics[topic] ?? 0 }
    func register(partitions: [String: Int]) {}

    func open(_ sink: SinkName?, _ tables: [SinkTable]) -> [String: RowPartitioning] {
        steps.append("sink")
        return [:]
    }

    func rollBack(_ plan: RollbackPlan, from tables: [String]) -> Bool {
        steps.append("roll back")
        return true
    }

    func rolledBack() {}

    func environment(_ partitioning: [String: RowPartitioning], _ partitions: [StageName: Int], _ hashKey: HashKey) -> TaskEnvironment {
        TaskEnvironment(partitioning: partitioning, partitions: partitions, cold: NothingEvicted(), hashKey: hashKey)
    }

    func load(_ tasks: [any StreamTask], memoryBudget: Int) {}
    func loadReferences() -> Bool { true }

    func position(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] {
        steps.append("position")
        return Dictionary(uniqueKeysWithValues: assignments.map { ($0.partition, 0) })
    }

    func ends(of partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        endsAreKnown ? Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }) : [:]
    }

    func isWithoutState() -> Bool { restored.isNew }
    func choose(except unusable: Set<UInt64>) -> RestorableCheckpoint? { checkpoint }
    func restore(_ checkpoint: RestorableCheckpoint) { steps.append("restore") }
}
