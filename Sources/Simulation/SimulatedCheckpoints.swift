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
    /// The state lacks changes that a delta would need: the first copy is a base.
    private var owesBase: Bool
    /// A checkpoint was begun, and the loop has not heard what came of it.
    private(set) var isUnderWay = false
    /// Since when there is something for the next checkpoint; nil while there is nothing, or one is under way.
    private var waitsSince: Duration?
    private(set) var isRolledBackAgain = false
    /// The loop has had it looked for what was delivered late.
    private var looksAgain = false
    private var checkpointsWithoutLook = 0
    /// Another worker has the job.
    private(set) var isLost = false

    /// After the interval, or the pause after one that failed, a checkpoint is begun within this.
    private static let grace = Duration.seconds(2)
    private static let longestPause = Duration.seconds(1)

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
        owesBase = surroundings.owesBase
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

    // MARK: - What is promised

    /// What is published comes every interval: looked at after a turn, while no commit is under way and the run goes on.
    func check(_ loop: WorkerLoop) {
        guard !isUnderWay, loop.covered.map({ loop.epoch > $0 }) ?? true else { return }
        let since = waitsSince ?? parts.time.now
        waitsSince = since
        let longest = max(world.plan.interval, SimulatedCheckpoints.longestPause) + SimulatedCheckpoints.grace
        guard parts.time.now - since > longest else { return }
        parts.violate("for \(parts.time.now - since) no checkpoint was begun, and one is due every \(world.plan.interval)")
    }

    /// The loop has heard what came of the checkpoint.
    func heard() { isUnderWay = false }

    /// With each checkpoint after a restore the loop looks for what was delivered late, until it has.
    func checkSecondRollback() {
        guard store.disk.rollback == .again, !looksAgain else { return }
        checkpointsWithoutLook += 1
        // The look that the first one brings about is ordered behind it.
        guard checkpointsWithoutLook > 1 else { return }
        parts.violate("nobody looked once more for what was delivered after the restored checkpoint, and two checkpoints came")
    }

    private func began() {
        isUnderWay = true
        waitsSince = nil
    }

    /// A delta has what changed since the checkpoint before it, unless that became too many; when the state lacks some of it already at
    /// the start, a base is made first, so that nobody has to wait for it at the end.
    private func checkDelta(after epoch: Epoch, hasBegun: Bool) {
        if owesBase { parts.violate("the start found that changes after epoch \(epoch) are not kept, and no base is made") }
        if !hasBegun, !store.mayLackChanges {
            parts.violate("the changes after epoch \(epoch) are not kept for a delta, though they did not become too many")
        }
    }

    private func beginCopy(_ content: FinishedCheckpoint.Content, keepingAfter epoch: Epoch?) -> Bool {
        if let epoch { store.keepChanges(after: epoch) }
        file = world.copies.newName()
        let hasBegun = store.beginCopy(content, at: file)
        if case .delta(let before) = content {
            checkDelta(after: before, hasBegun: hasBegun)
            parts.count(hasBegun ? "deltas" : "deltas whose changes are gone")
        } else {
            owesBase = false
            parts.count("bases")
        }
        return hasBegun
    }

    // MARK: - What the loop wants

    func perform(_ action: WorkerLoop.CheckpointAction, for worker: SimulatedWorker) throws -> [WorkerLoop.Action] {
        switch action {
        case .claim(let change):
            began()
            process.perform { [archive, store] in
                try archive.claim(store.checkpointFacts(), change)
            } then: {
                worker.inbox.claim = $0
            }
        case .keepChanges(let epoch): store.keepChanges(after: epoch)
        case .beginCopy(let content, let epoch):
            began()
            return worker.loop.copyBegan(beginCopy(content, keepingAfter: epoch))
        case .stepCopy(let time):
            facts = try store.stepCopy(for: time)
            return worker.loop.copied(facts != nil)
        case .publish(let content, let reason):
            began()
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
        looksAgain = true
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
