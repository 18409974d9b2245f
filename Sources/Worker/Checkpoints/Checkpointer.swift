import Engine
import Foundation
import Glibc
import Logging

/// Does what the loop wants of a worker's checkpoints: copies the state on the thread that commits, a step at a time, and asks
/// the archive on threads of its own.
final class Checkpointer {
    /// What the archive is asked, one after the other.
    private enum Question: Sendable {
        case claim(CheckpointFacts, ChangeAtRest)
        case publish(FinishedCheckpoint)
    }

    private let worker: Worker
    private let store: any CheckpointedStore
    private let archive: any CheckpointArchive
    private let isClaimed: Bool
    /// Of the copy under way, and, once it is whole, what it says.
    private var file = ""
    private var facts: CheckpointFacts?
    private var files = 0
    private let questions: OrderThread<Question>
    /// Removes what is no longer needed.
    private let collection: OrderThread<Void>
    /// A sink that is away holds up no checkpoints.
    private let rollback: OrderThread<RollbackPlan>
    /// What sink threads ask before and during each delivery.
    let ownership: OwnershipWatch

    /// For how long a stop waits for an archive, or a sink to roll back in, that does not answer.
    private static let longestStop = Duration.seconds(5)
    /// For how long a stop waits for a collection under way.
    private static let collectionGrace = Duration.milliseconds(100)

    /// nil for a run without checkpoints.
    init?(_ worker: Worker, _ start: RunStart) throws {
        guard let settings = worker.checkpoints, let checkpointing = start.checkpointing else { return nil }
        guard let store = worker.store as? any CheckpointedStore else { throw WorkerError(.bug, "this state store can't be checkpointed") }
        self.worker = worker
        self.store = store
        archive = settings.archive
        isClaimed = checkpointing.isClaimed
        let inbox = worker.inbox
        ownership = OwnershipWatch(settings, logger: worker.logger) { error in inbox.update { $0.error = $0.error ?? error } }
        let collection = OrderThread<Void>("collection") { [archive, worker] in
            do {
                try archive.collect()
            } catch {
                worker.logger.error(
                    "checkpoints: what is no longer needed was not removed, which is tried again with the next one: \(error)")
            }
        }
        self.collection = collection
        questions = OrderThread("checkpoints") { [archive, worker] question in
            switch question {
            case .claim(let facts, let change):
                let result = Result { try archive.claim(facts, change) }
                inbox.update { $0.claim = result }
            case .publish(let checkpoint):
                let result = Result { try archive.publish(checkpoint) }
                if checkpoint.content != .nothing { unlink(checkpoint.file) }
                inbox.update { $0.checkpoint = result }
                // Somebody waits for the last one of a drain, and the next worker begins with a collection.
                if case .success = result, !worker.isStopping.look({ $0 }) { collection.order(()) }
            }
        }
        rollback = OrderThread("rollback") { [worker, tables = start.rolledBackTables] plan in
            var isDone = false
            do {
                isDone = try worker.rollBack(plan, from: tables)
            } catch {
                worker.logger.error(
                    "checkpoints: what was delivered after the restored one was not looked for once more, which is tried again with the next: \(error)"
                )
            }
            inbox.update { [isDone] in $0.secondRollback = isDone }
        }
    }

    func start() {
        ownership.start()
        if isClaimed { collection.order(()) }
    }

    /// To be called when the worker is told to stop. A checkpoint under way can't be called back.
    func stop() {
        ownership.stop()
        questions.stop()
        collection.stop()
        rollback.stop()
        if !rollback.awaitEnd(upTo: Checkpointer.longestStop) || !questions.awaitEnd(upTo: Checkpointer.longestStop) {
            worker.logger.warning("checkpoints: the store or the sink did not answer in time; what was asked of them may still happen")
        }
        // It may be cut off anywhere, as by a crash.
        _ = collection.awaitEnd(upTo: Checkpointer.collectionGrace)
        if facts == nil, !file.isEmpty { unlink(file) }
    }

    /// Does one thing, and says what came of it.
    func perform(_ action: WorkerLoop.CheckpointAction, _ loop: inout WorkerLoop) throws -> [WorkerLoop.Action] {
        switch action {
        case .claim(let change): questions.order(.claim(try store.checkpointFacts(), change))
        case .keepChanges(let epoch): try store.keepChanges(after: epoch)
        case .beginCopy(let content, let epoch):
            if let epoch { try store.keepChanges(after: epoch) }
            files += 1
            file = "\(store.exportDirectory)/copy-\(files).db"
            return loop.copyBegan(try store.beginCopy(content, at: file))
        case .stepCopy(let time):
            facts = try store.stepCopy(for: time)
            return loop.copied(facts != nil)
        case .publish(let content, let reason):
            let facts = try facts ?? store.checkpointFacts()
            self.facts = nil
            questions.order(
                .publish(FinishedCheckpoint(content: content, file: content == .nothing ? "" : file, facts: facts, reason: reason)))
            file = ""
        case .rollBackAgain(let plan): rollback.order(plan)
        case .endRollback: try store.rollbackDone(isFinal: true)
        case .endSupersession: try store.supersessionDone()
        }
        return []
    }
}
