import Engine

/// A running worker's way to the archive: performs what the loop wants of it beside everything else, in virtual time.
final class SimulatedCheckpoints {
    private let parts: SimulationParts
    private let world: CheckpointWorld
    private let store: SimulatedStore
    private let archive: any CheckpointArchive
    private let process: SimulatedProcess
    private var ownership: OwnershipStanding
    private let rolledBackTables: [String]
    private var file = ""
    private var facts: CheckpointFacts?
    private var isCollecting = false
    private(set) var isRolledBackAgain = false
    /// Another worker has the job.
    private(set) var isLost = false

    init(
        _ surroundings: SimulatedSurroundings, _ archive: any CheckpointArchive, _ world: CheckpointWorld, _ process: SimulatedProcess,
        tables: [String]
    ) {
        parts = surroundings.parts
        store = surroundings.simulated
        self.archive = archive
        self.world = world
        self.process = process
        rolledBackTables = surroundings.parts.implementations.rolledBackTables(tables, surroundings.topology)
        ownership = OwnershipStanding(durability: world.plan.durability, now: surroundings.parts.time.now)
    }

    var mustHold: Bool { ownership.mustHold(now: parts.time.now) }
    var mayDeliver: Bool { !isLost && ownership.mayDeliver(now: parts.time.now) }

    /// Asks the archive again and again whose the job is.
    func watch(_ worker: SimulatedWorker) {
        ownership.asks(now: parts.time.now)
        process.perform { [archive] in
            try archive.confirmOwnership()
        } then: { [self] result in
            switch result {
            case .success: ownership.confirmed(now: parts.time.now)
            case .failure(let error as any Failure) where error.kind == .fenced:
                isLost = true
                worker.inbox.error = worker.inbox.error ?? error
                return
            case .failure: ownership.failed(now: parts.time.now)
            }
            parts.time.after(OwnershipStanding.interval) { [self] in
                if !process.isGone { watch(worker) }
            }
        }
    }

    func perform(_ action: WorkerLoop.CheckpointAction, for worker: SimulatedWorker) throws -> [WorkerLoop.Action] {
        switch action {
        case .claim(let change):
            process.perform { [archive, store] in
                try archive.claim(store.checkpointFacts(), change)
            } then: {
                worker.inbox.claim = $0
            }
        case .keepChanges(let epoch): store.keepChanges(after: epoch)
        case .beginCopy(let content, let epoch):
            if let epoch { store.keepChanges(after: epoch) }
            file = world.copies.newName()
            return worker.loop.copyBegan(store.beginCopy(content, at: file))
        case .stepCopy(let time):
            facts = try store.stepCopy(for: time)
            return worker.loop.copied(facts != nil)
        case .publish(let content, let reason):
            let facts = facts ?? store.checkpointFacts()
            self.facts = nil
            publish(FinishedCheckpoint(content: content, file: content == .nothing ? "" : file, facts: facts, reason: reason), for: worker)
        case .rollBackAgain(let plan): rollBackAgain(plan, for: worker)
        case .endRollback: store.rollbackDone(isFinal: true)
        case .endSupersession: store.supersessionDone()
        }
        return []
    }

    private func publish(_ checkpoint: FinishedCheckpoint, for worker: SimulatedWorker) {
        process.perform { [archive] in
            try archive.publish(checkpoint)
        } then: { [self] result in
            worker.inbox.checkpoint = result
            guard case .success(let published) = result else { return }
            parts.trace.note(
                "process \(process.number) published checkpoint \(published.number), epoch \(published.epoch): \(checkpoint.content), \(checkpoint.reason)"
            )
            collect()
        }
    }

    private func collect() {
        guard !isCollecting else { return }
        isCollecting = true
        process.perform { [archive] in
            try archive.collect()
        } then: { [self] result in
            isCollecting = false
            if case .failure = result { parts.count("collections that failed") }
        }
    }

    /// Looks once more for what was delivered after the restored checkpoint, beside everything else.
    private func rollBackAgain(_ plan: RollbackPlan, for worker: SimulatedWorker) {
        guard let plan = parts.implementations.rollback(plan) else { return }
        process.perform { [parts, process, rolledBackTables] in
            try parts.sink.rollBack(plan, from: rolledBackTables, by: process)
        } then: { [self] result in
            if case .success(let rows) = result {
                parts.rolledBack(rows, plan)
                isRolledBackAgain = true
            }
            worker.inbox.secondRollback = isRolledBackAgain
        }
    }
}
