import Engine
import Foundation
import Glibc
import Logging

/// What a worker's start meets: the state on this machine, the input, the sinks and the archive. A full disk is waited for.
final class WorkerSurroundings: StartSurroundings {
    private let worker: Worker
    /// Holds the clock against what the state and the sink's server say.
    private(set) var clock: ClockWatch!
    /// nil for a topology without references.
    private(set) var references: References?

    /// For how long a bounded run waits to learn where the partitions end.
    private static let endsTimeout = Duration.seconds(30)

    init(_ worker: Worker) { self.worker = worker }

    var now: Duration { Clock.now }

    // MARK: - The state

    func open(_ topology: Topology) throws -> RestoredState {
        let opening = Clock.now
        let restored = try worker.room("opening the state") { try worker.store.open(topology) }
        worker.publish { $0.waitingAtStart = restored.waitingBytes }
        worker.note(.open, Clock.now - opening - (restored.changesTook ?? .zero))
        if let time = restored.changesTook { worker.note(.migrate, time) }
        clock = ClockWatch(worker.settings, lastReadAt: restored.lastReadAt, sink: worker.sink, logger: worker.logger)
        return restored
    }

    func register(partitions: [String: Int]) throws {
        try worker.room("noting how many partitions there are") { try worker.store.register(partitions: partitions) }
    }

    func environment(_ partitioning: [String: RowPartitioning], _ partitions: [StageName: Int], _ hashKey: HashKey) -> TaskEnvironment {
        TaskEnvironment(
            partitioning: partitioning, partitions: partitions, cold: worker.store, hashKey: hashKey, references: worker.referenceTables)
    }

    func load(_ tasks: [any StreamTask], memoryBudget: Int) throws {
        try worker.timed(.load) {
            for task in tasks { try worker.store.restore(task, memoryBudget: memoryBudget) }
        }
    }

    // MARK: - The archive

    private func store() throws -> any CheckpointedStore {
        guard let store = worker.store as? any CheckpointedStore else { throw WorkerError(.bug, "this state store can't be checkpointed") }
        return store
    }

    private func archive() throws -> any CheckpointArchive {
        guard let archive = worker.checkpoints?.archive else { throw WorkerError(.bug, "this worker has no checkpoint store") }
        return archive
    }

    /// A full disk is waited for when it is the state's, or when the worker can't begin without the answer.
    func claim(_ change: ChangeAtRest, mustAnswer: Bool) throws -> ArchiveStanding {
        let (store, archive) = (try store(), try archive())
        return try worker.timed(.claim) {
            let facts = try store.checkpointFacts()
            let stateDirectory = URL(fileURLWithPath: store.exportDirectory).deletingLastPathComponent().path
            return try worker.room("claiming the job") {
                mustAnswer || URL(fileURLWithPath: $0.path).path.begins(with: stateDirectory + "/")
            } _: {
                try archive.claim(facts, change)
            }
        }
    }

    func keepChanges(after epoch: Epoch) throws -> Bool {
        let store = try store()
        try store.keepChanges(after: epoch)
        return try store.keepsChanges(after: epoch)
    }

    func publishFirst(_ reason: FinishedCheckpoint.Reason) throws -> PublishedCheckpoint? {
        let (store, archive) = (try store(), try archive())
        return try worker.timed(.claim) {
            let file = "\(store.exportDirectory)/first.db"
            let facts = try worker.room("copying the state for its first checkpoint") {
                _ = try store.beginCopy(.base, at: file)
                while true {
                    if let facts = try store.stepCopy(for: .seconds(1)) { return facts }
                }
            }
            defer { unlink(file) }
            let checkpoint = FinishedCheckpoint(content: .base, file: file, facts: facts, reason: reason)
            let published = try worker.room("publishing the first checkpoint") { try archive.publish(checkpoint) }
            worker.tell(published)
            return published
        }
    }

    func endSupersession() throws { try store().supersessionDone() }

    // MARK: - The input and the sinks

    func partitionCount(of topic: String) throws -> Int { try worker.timed(.topics) { try worker.source.partitionCount(of: topic) } }

    func position(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] {
        try worker.timed(.topics) { try worker.source.open(assignments) }
    }

    func ends(of partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        worker.timed(.topics) { worker.source.ends(of: partitions, timeout: WorkerSurroundings.endsTimeout) }
    }

    func open(_ sink: SinkName?, _ tables: [SinkTable]) throws -> [String: RowPartitioning] {
        try worker.timed(.sinks) { try worker.sink(sink).open(tables) }
    }

    func rollBack(_ plan: RollbackPlan, from tables: [String]) throws -> Bool {
        try worker.timed(.rollBack) { try worker.rollBack(plan, from: tables) }
    }

    func rolledBack() throws {
        let store = try store()
        try worker.room("noting what was rolled back") { try store.rollbackDone(isFinal: false) }
    }

    func loadReferences() throws -> Bool {
        references = try References(worker)
        guard let references else { return true }
        return try worker.timed(.references, references.load)
    }

    // MARK: - The log

    func tell(_ remark: StartRemark) {
        let logger = worker.logger
        switch remark {
        case .changed(let change): logger.notice("\(change)")
        case .unasked(let error): logger.error("checkpoints: the store can't be asked whose the job is; going on without: \(error)")
        case .waitsForCheckpoint(let tables):
            logger.notice("checkpoints: none in the store knows \(tables.joined(separator: ", ")) yet; rows for that wait for the next one")
        case .supersessionNotNoted(let error): worker.tellNotNoted(.endSupersession, error)
        case .hasGrown(let topic, let before, let now):
            logger.notice("\(topic) has grown from \(before) to \(now) partitions: the \(before) are read to where they end now")
        case .rollsBack: logger.notice("the state was restored: rows that were delivered after it are rolled back before anything else")
        // Of the part of a start that the worker has behind it.
        case .damaged, .restores, .restored: break
        }
    }
}

extension Worker {
    /// nil: the job's first.
    func sink(_ name: SinkName?) -> any BatchSink { name.flatMap { additionalSinks[$0] } ?? sink }

    /// Rolls back from every sink; false when the worker was told to stop first.
    func rollBack(_ plan: RollbackPlan, from tables: [String]) throws -> Bool {
        for sink in [sink] + additionalSinks.values {
            let isCancelled: @Sendable () -> Bool = { [isStopping] in isStopping.look { $0 } }
            switch try sink.rollBack(plan, from: tables, isCancelled: isCancelled) {
            case .cancelled: return false
            case .rolledBack(let rows):
                let found = rows.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                logger.notice("rolled back: \(found.isEmpty ? "no rows" : found.joined(separator: ", "))")
            }
        }
        return true
    }

    func tell(_ published: PublishedCheckpoint) {
        logger.debug(
            "checkpoint \(published.number): epoch \(published.epoch), \(published.addedBytes) bytes more, \(published.totalBytes) in all")
        publish { status in
            status.checkpoint.last = published
            status.checkpoint.lastAt = Clock.wallMilliseconds
            status.checkpoint.problem = nil
        }
    }

    func tellNotNoted(_ action: WorkerLoop.CheckpointAction, _ error: any Failure) {
        if case .endRollback = action {
            logger.error("checkpoints: that everything was rolled back could not be noted, so the next start looks for it again: \(error)")
        } else {
            logger.error(
                "checkpoints: that the job goes on from this one alone could not be noted, so the next start begins with another base: \(error)"
            )
        }
    }
}
