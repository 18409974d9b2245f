import Engine

/// A running worker's checkpoints: performs what `Checkpointing` and `OwnershipStanding` say, in virtual time.
final class SimulatedCheckpointer {
    private let parts: SimulationParts
    private let world: CheckpointWorld
    private let store: SimulatedStore
    private let archive: any CheckpointArchive
    private let process: SimulatedProcess
    private var checkpointing: Checkpointing
    private var ownership: OwnershipStanding
    private let withdrawnTables: [String]
    private var file = ""
    private var isClaiming = false
    private var result: Result<PublishedCheckpoint, any Error>?
    private var isCollecting = false
    private var isWithdrawing = false
    private(set) var isWithdrawnAgain = false
    private var isLastBegun = false
    /// Why this worker has to stop: another has the job.
    private(set) var lost: (any Error)?

    init(_ parts: SimulationParts, _ world: CheckpointWorld, _ started: SimulatedStart.Started, _ process: SimulatedProcess) {
        self.parts = parts
        self.world = world
        self.process = process
        store = started.store
        archive = started.archive
        withdrawnTables = started.withdrawnTables
        checkpointing = started.checkpointing
        ownership = OwnershipStanding(durability: world.plan.durability, now: parts.time.now)
    }

    var wait: CheckpointWait { checkpointing.wait }
    var covered: Epoch? { checkpointing.covered }
    var mustHold: Bool { ownership.mustHold(now: parts.time.now) }
    var mayDeliver: Bool { lost == nil && ownership.mayDeliver(now: parts.time.now) }

    /// Asks the archive again and again whose the job is.
    func watch() {
        ownership.asks(now: parts.time.now)
        process.perform { [archive] in try archive.confirmOwnership() } then: { [self] result in
            switch result {
            case .success: ownership.confirmed(now: parts.time.now)
            case .failure(let error as any Failure) where error.kind == .fenced:
                lost = error
                return
            case .failure: ownership.failed(now: parts.time.now)
            }
            parts.time.after(OwnershipStanding.interval) { [self] in
                if !process.isGone { watch() }
            }
        }
    }

    // MARK: - Checkpoints

    /// Makes a step between epochs. Throws what ends the worker.
    func advance(epoch: Epoch, isUrgent: Bool) throws {
        guard !isClaiming else { return }
        if let content = checkpointing.next(now: parts.time.now, epoch: epoch, isUrgent: isUrgent) { return try begin(content, epoch) }
        if checkpointing.copying != nil { try step() }
    }

    private func begin(_ content: FinishedCheckpoint.Content, _ epoch: Epoch) throws {
        guard checkpointing.isClaimed else { return claimLate(content, epoch) }
        file = world.copies.newName()
        if case .delta = content {
            if store.beginCopy(content, at: file) { return }
            checkpointing.changesAreGone()
        }
        store.keepChanges(after: epoch)
        _ = store.beginCopy(.base, at: file)
    }

    private func claimLate(_ content: FinishedCheckpoint.Content, _ epoch: Epoch) {
        isClaiming = true
        process.perform { [archive, store, change = checkpointing.changeAtRest] in try archive.claim(store.checkpointFacts(), change) } then: { [self] result in
            isClaiming = false
            do {
                _ = try result.get()
                checkpointing.claimed()
                try begin(content, epoch)
            } catch let error as any Failure {
                if !checkpointing.failed(error.kind, now: parts.time.now) { lost = error }
            } catch { lost = error }
        }
    }

    private func step() throws {
        guard let content = checkpointing.copying, let facts = try store.stepCopy(for: .milliseconds(20)) else { return }
        publish(FinishedCheckpoint(content: content, file: file, facts: facts, reason: checkpointing.copied()))
    }

    private func publish(_ checkpoint: FinishedCheckpoint) {
        process.perform { [archive] in try archive.publish(checkpoint) } then: { [self] result in
            self.result = result
            guard case .success(let published) = result else { return }
            parts.trace.note("process \(process.number) published checkpoint \(published.number), epoch \(published.epoch): \(checkpoint.content), \(checkpoint.reason)")
            collect()
        }
    }

    private func collect() {
        guard !isCollecting else { return }
        isCollecting = true
        process.perform { [archive] in try archive.collect() } then: { [self] result in
            isCollecting = false
            if case .failure = result { parts.count("collections that failed") }
        }
    }

    /// Looks once more for what was delivered after the restored checkpoint, beside everything else.
    private func withdrawAgain(_ plan: WithdrawalPlan) {
        guard !isWithdrawing, !isWithdrawnAgain, let plan = parts.implementations.withdrawal(plan) else { return }
        isWithdrawing = true
        process.perform { [parts, process, withdrawnTables] in try parts.sink.withdraw(plan, from: withdrawnTables, by: process) } then: { [self] result in
            isWithdrawing = false
            guard case .success(let rows) = result else { return }
            parts.withdrew(rows, plan)
            isWithdrawnAgain = true
        }
    }

    /// What came of the last checkpoint; the epoch that is covered now, when that is news. Throws what ends the worker.
    func heed() throws -> Epoch? {
        if let lost { throw lost }
        guard let result else { return nil }
        self.result = nil
        switch result {
        case .success(let published):
            let noted = checkpointing.published(published, isWithdrawnAgain: isWithdrawnAgain, now: parts.time.now)
            if let plan = noted.withdrawsAgain { withdrawAgain(plan) }
            if noted.endsWithdrawal { store.withdrawalDone(isFinal: true) }
            if noted.endsSupersession { store.supersessionDone() }
            store.keepChanges(after: noted.keepsChangesAfter)
            parts.count("checkpoints")
            return covered
        case .failure(let error as any Failure):
            parts.trace.note("process \(process.number) could not publish: \(error)")
            parts.count("checkpoints that failed")
            guard checkpointing.failed(error.kind, now: parts.time.now) else { throw error }
            return nil
        case .failure(let error): throw error
        }
    }

    // MARK: - The end

    /// The last checkpoint of a run that drained; true when it is in the archive, or failed.
    func finish(epoch: Epoch) throws -> Bool {
        guard !isClaiming else { return false }
        if checkpointing.copying != nil {
            try step()
            return false
        }
        guard checkpointing.publishing == nil else { return false }
        if isLastBegun { return true }
        isLastBegun = true
        let content = checkpointing.last(epoch: epoch)
        if content == .nothing {
            publish(FinishedCheckpoint(content: content, file: "", facts: store.checkpointFacts(), reason: checkpointing.copied()))
        } else {
            try begin(content, epoch)
        }
        return false
    }
}
