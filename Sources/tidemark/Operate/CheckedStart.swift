import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import KafkaIO

/// What surrounds a start that is only looked at: every step is looked into, nothing is changed, and what the start would be refused for
/// is a finding, after which it goes on to the next step.
final class CheckedStart: StartSurroundings {
    private let parts: JobParts
    private let report: CheckReport
    private let topology: Topology
    private let state: FoundState
    /// What the checkpoint store answered when it was tried out; nil when checkpoints are off.
    private let checkpoints: Result<CheckpointStore, any Error>?
    /// nil when the input can't be reached, which is a finding already.
    private let source: (any RecordSource)?
    /// The topics that are there, reference topics included.
    private(set) var topics: Set<String> = []
    /// The tables of the job's first sink, as the state knows them.
    private(set) var tables: [SinkTable] = []

    init(
        _ parts: JobParts, _ report: CheckReport, _ topology: Topology, _ state: FoundState,
        _ checkpoints: Result<CheckpointStore, any Error>?,
        _ source: (any RecordSource)?
    ) {
        self.parts = parts
        self.report = report
        self.topology = topology
        self.state = state
        self.checkpoints = checkpoints
        self.source = source
    }

    /// No checkpoint is written, so that it doesn't matter when one would be due.
    var now: Duration { .zero }

    func refuse(_ refusal: StartRefusal) {
        switch refusal {
        // What a state that is not known says of its topics is not known either.
        case .nothingHasGrown where state.restored == nil: break
        case .nothingToRepartition: report.finding("state", plainText(of: refusal))
        case .restoredWithoutStore, .unasked: report.finding("checkpoints", plainText(of: refusal))
        case .partitionsDiffer(let name, _, _): report.finding("topic \(name)", plainText(of: refusal))
        case .hasGrown(let topic, _, _), .hasGrownUnevenly(let topic, _, _), .twoStagesRead(let topic):
            report.finding("topic \(topic)", plainText(of: refusal))
        case .nothingHasGrown, .endsUnknown, .endedUnread: report.finding("topics", plainText(of: refusal))
        case .cannotRollBack, .lastCheckpointMissing: report.finding("start", plainText(of: refusal))
        }
    }

    func tell(_ remark: StartRemark) {
        switch remark {
        case .changed(let change): report.ok("state", change)
        case .unasked(let error):
            report.skipped(
                "whose the job is", "the store does not answer, which a start with this state goes on without: \(plainText(of: error))")
        case .waitsForCheckpoint(let tables):
            report.ok("checkpoints", "none knows \(tables.joined(separator: ", ")) yet; rows for that wait for the next one")
        case .hasGrown(let topic, let before, let now):
            report.ok("topic \(topic)", "has grown from \(before) to \(now) partitions; the \(before) are read to where they end")
        case .rollsBack: report.ok("rollback", "rows that were delivered after the checkpoint are rolled back before anything else")
        // Of what is not done here.
        case .supersessionNotNoted, .damaged, .restores, .restored: break
        }
    }

    // MARK: - The state and whose it is

    func open(_ topology: Topology) -> RestoredState { state.restored ?? FoundState.blank(isNew: false) }

    func claim(_ change: ChangeAtRest, mustAnswer: Bool) throws -> ArchiveStanding {
        let unknown = ArchiveStanding(continues: nil, covered: nil)
        let store: CheckpointStore
        switch checkpoints {
        case .success(let found): store = found
        case .failure(let error as any Failure) where error.kind == .retry: throw error
        // A finding already.
        case .failure, nil: return unknown
        }
        guard case .known(let restored) = state else { return unknown }
        do {
            try StoreArchive(store, stateDirectory: parts.configuration.state.directory).requireClaimable(restored)
        } catch let error as any Failure where error.kind != .retry {
            report.finding("whose the job is", plainText(of: error))
        }
        return unknown
    }

    func keepChanges(after epoch: Epoch) -> Bool { true }
    func publishFirst(_ reason: FinishedCheckpoint.Reason) -> PublishedCheckpoint? { nil }
    func endSupersession() {}
    func register(partitions: [String: Int]) {}
    func rollBack(_ plan: RollbackPlan, from tables: [String]) -> Bool { true }
    func rolledBack() {}

    // MARK: - Topics

    /// As many as the state knows where the topic is a finding, so that nothing is said of it twice.
    func partitionCount(of topic: String) -> Int {
        let known = state.restored?.partitions[topic] ?? 0
        guard source != nil else { return known }
        let found = report.attempt("topic \(topic)", { try TopicCheck(parts: parts).look(at: topic) }, ok: \.text)
        if found != nil { topics.insert(topic) }
        return found?.partitions ?? known
    }

    func position(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] {
        look(at: assignments.filter { topics.contains($0.partition.topic) })
        return Dictionary(uniqueKeysWithValues: assignments.map { ($0.partition, $0.position?.next ?? 0) })
    }

    private func look(at assignments: [SourceAssignment]) {
        guard let source else { return report.skipped("topics and positions", "the input is a finding") }
        guard !assignments.isEmpty else { return report.skipped("positions", "no topic can be read") }
        switch state {
        case .known, .restorable: _ = report.attempt("positions", { try source.open(assignments) }) { _ in "the log still has them" }
        case .standIn: lookAtCheckpoint(assignments, source)
        case .running: report.skipped("positions", "a worker has the state")
        case .finding: report.skipped("positions", "the state is a finding")
        }
    }

    /// The worker has read on since: what the log has forgotten by now it need not have.
    private func lookAtCheckpoint(_ assignments: [SourceAssignment], _ source: any RecordSource) {
        _ = report.attempt("positions") {
            let first = try TopicCheck(parts: parts).makeSource()
                .open(assignments.map { SourceAssignment(partition: $0.partition, position: nil) })
            let held = assignments.filter { assignment in assignment.position.map { $0.next >= first[assignment.partition] ?? 0 } ?? true }
            try source.open(held)
            return assignments.count - held.count
        } ok: { forgotten in
            "the log still has those of the checkpoint"
                + (forgotten == 0
                    ? ""
                    : ", but of \(counted(forgotten, "partition", "partitions")), where it begins after them, so that only the worker knows whether it has read so far")
        }
    }

    /// Those of topics that are findings need not be known.
    func ends(of partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        let found = partitions.filter { topics.contains($0.topic) }
        let ends = source?.ends(of: found, timeout: JobCheck.reachLimit) ?? [:]
        return partitions.reduce(into: ends) { if !topics.contains($1.topic) { $0[$1] = 0 } }
    }

    // MARK: - Tables

    func open(_ sink: SinkName?, _ tables: [SinkTable]) -> [String: RowPartitioning] {
        if sink == nil {
            self.tables = tables
            TableCheck(parts: parts, report: report).run(tables, state.intent)
        } else {
            OutputTopicCheck(parts: parts, report: report).run(tables, state)
        }
        return [:]
    }

    // MARK: - Tasks

    func environment(_ partitioning: [String: RowPartitioning], _ partitions: [StageName: Int], _ hashKey: HashKey) -> TaskEnvironment {
        TaskEnvironment(
            partitioning: partitioning, partitions: partitions, cold: NothingEvicted(), hashKey: hashKey,
            references: Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) }))
    }

    func load(_ tasks: [any StreamTask], memoryBudget: Int) {}

    func loadReferences() -> Bool {
        guard source != nil else { return true }
        let check = ReferenceCheck(parts: parts, report: report)
        let partitions = check.topics(topology.references)
        topics.formUnion(partitions.keys)
        switch state {
        case .known, .restorable: check.file(topology.references, partitions)
        case .standIn, .running: report.skipped("references.db", "a worker has it; what does not fit in it is read anew")
        case .finding: report.skipped("references.db", "the state is a finding")
        }
        return true
    }
}
