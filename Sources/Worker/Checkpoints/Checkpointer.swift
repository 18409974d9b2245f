import Engine
import Foundation
import Glibc
import Logging

/// Makes a worker's checkpoints on the thread that commits: copies the state a step at a time between epochs, has the
/// copies published by another thread, and keeps what the next delta needs.
final class Checkpointer {
    private let settings: CheckpointSettings
    private let store: any CheckpointedStore
    private let worker: Worker
    private var checkpointing: Checkpointing
    /// Of the copy under way.
    private var file = ""
    private var files = 0
    private var thread: OrderThread<FinishedCheckpoint>!
    /// Removes what is no longer needed.
    private var collection: OrderThread<Void>!
    private let secondWithdrawal: SecondWithdrawal
    /// The sink's tables in which rows of earlier lineages may be.
    private let withdrawnTables: [String]
    /// What sink threads ask before and during each delivery.
    let ownership: OwnershipWatch

    /// How long one step of a copy may hold up the epochs, and how long they then have before the next.
    private static let step = Duration.milliseconds(20)
    static let pauseBetweenSteps = Duration.milliseconds(20)

    /// Claims the job, and publishes at once when the archive has nothing of this lineage: nothing may leave before that.
    init(_ settings: CheckpointSettings, _ store: any CheckpointedStore, _ worker: Worker, _ restored: RestoredState) throws {
        self.settings = settings
        self.store = store
        self.worker = worker
        ownership = OwnershipWatch(settings, logger: worker.logger) { [inbox = worker.inbox] error in inbox.update { $0.error = $0.error ?? error } }
        let tables = restored.tablesToWithdrawFrom(of: worker.topology)
        withdrawnTables = tables
        secondWithdrawal = SecondWithdrawal { plan in
            do {
                return try Checkpointer.withdraw(plan, tables, worker)
            } catch {
                worker.logger.error("checkpoints: what was delivered after the restored one was not looked for once more, which is tried again with the next: \(error)")
                return false
            }
        }
        var standing: ArchiveStanding?
        do {
            standing = try Checkpointer.claim(settings, store, worker, restored)
        } catch let error as any Failure where error.kind == .retry {
            try Checkpointer.refuseUnasked(settings, restored, error)
            worker.logger.error("checkpoints: the store can't be asked whose the job is; going on without: \(error)")
        }
        checkpointing = Checkpointing(
            interval: settings.interval, durability: settings.durability, restored: restored, tables: tables, standing: standing, now: Clock.now
        )
        try store.keepChanges(after: checkpointing.keepsChangesAfter)
        if try !store.keepsChanges(after: checkpointing.keepsChangesAfter) { checkpointing.beginsWithBase(now: Clock.now) }
        if let reason = checkpointing.first { try publishFirst(reason) }
        if case .tables(let tables) = wait {
            worker.logger.notice("checkpoints: none in the store knows \(tables.sorted().joined(separator: ", ")) yet; rows for that wait for the next one")
        }
    }

    /// What leaves only once a checkpoint is in the store.
    var wait: CheckpointWait { checkpointing.wait }

    /// Asks whose the job is. A full disk is waited for when it is the state's, or when the worker can't begin without the answer.
    private static func claim(
        _ settings: CheckpointSettings, _ store: any CheckpointedStore, _ worker: Worker, _ restored: RestoredState
    ) throws -> ArchiveStanding {
        let facts = try store.checkpointFacts()
        let needsAnswer = Checkpointing.refusal(of: restored, durability: settings.durability, mayBeginUnasked: settings.mayBeginUnasked) != nil
        let stateDirectory = URL(fileURLWithPath: store.exportDirectory).deletingLastPathComponent().path
        return try worker.room("claiming the job") {
            needsAnswer || URL(fileURLWithPath: $0.path).path.begins(with: stateDirectory + "/")
        } _: {
            try settings.archive.claim(facts, restored.changeAtRest)
        }
    }

    private static func refuseUnasked(_ settings: CheckpointSettings, _ restored: RestoredState, _ error: any Failure) throws {
        let refusal = Checkpointing.refusal(of: restored, durability: settings.durability, mayBeginUnasked: settings.mayBeginUnasked)
        let problem = switch refusal {
        case .sharedDurability: "with shared durability nothing can be delivered without the checkpoint store; see to it and start again"
        case .mayHaveToRestore: "the state directory is empty, and the checkpoint store can't be asked whether there is a state to restore; see to it and start again, or set state.restore: never to begin anew"
        case .takesOver: "the state was restored, and the job can't be taken over without the checkpoint store; see to it and start again"
        case nil: nil as String?
        }
        if let problem { throw WorkerError(.retry, problem, cause: error) }
    }

    private func publishFirst(_ reason: FinishedCheckpoint.Reason) throws {
        let file = nextFile("base")
        let facts = try worker.room("copying the state for its first checkpoint") {
            _ = try store.beginCopy(.base, at: file)
            while true {
                if let facts = try store.stepCopy(for: .seconds(1)) { return facts }
            }
        }
        defer { unlink(file) }
        let checkpoint = FinishedCheckpoint(content: .base, file: file, facts: facts, reason: reason)
        let noted = note(try worker.room("publishing the first checkpoint") { try settings.archive.publish(checkpoint) })
        if noted.endsSupersession { try endSupersession() }
    }

    private func nextFile(_ kind: String) -> String {
        files += 1
        return "\(store.exportDirectory)/\(kind)-\(files).db"
    }

    // MARK: - Withdrawal

    /// Takes back what was delivered after the checkpoint that this state was restored from; false when cancelled before.
    func withdraw() throws -> Bool {
        guard let plan = checkpointing.dueWithdrawal else { return true }
        worker.logger.notice("the state was restored: rows that were delivered after it are withdrawn before anything else")
        guard try worker.timed(.withdraw, { try Checkpointer.withdraw(plan, withdrawnTables, worker) }) else { return false }
        try worker.room("noting what was withdrawn") { try store.withdrawalDone(isFinal: false) }
        checkpointing.withdrawn()
        return true
    }

    private static func withdraw(_ plan: WithdrawalPlan, _ tables: [String], _ worker: Worker) throws -> Bool {
        for sink in [worker.sink] + worker.furtherSinks.values {
            let isCancelled: @Sendable () -> Bool = { [isStopping = worker.isStopping] in isStopping.look { $0 } }
            switch try sink.withdraw(plan, from: tables, isCancelled: isCancelled) {
            case .cancelled: return false
            case .withdrawn(let rows):
                let found = rows.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                worker.logger.notice("withdrawn: \(found.isEmpty ? "no rows" : found.joined(separator: ", "))")
            }
        }
        return true
    }

    // MARK: - The run

    func start() {
        ownership.start()
        let collection = OrderThread<Void>("collection") { [archive = settings.archive, worker] in
            do {
                try archive.collect()
            } catch {
                worker.logger.error("checkpoints: what is no longer needed was not removed, which is tried again with the next one: \(error)")
            }
        }
        thread = OrderThread("checkpoints") { [archive = settings.archive, worker] checkpoint in
            let result = Result { try archive.publish(checkpoint) }
            if checkpoint.content != .nothing { unlink(checkpoint.file) }
            worker.inbox.update { $0.checkpoint = result }
            // Somebody waits for the last one of a drain, and the next worker begins with a collection.
            if case .success = result, !worker.isStopping.look({ $0 }) { collection.order(()) }
        }
        self.collection = collection
        if checkpointing.isClaimed { collection.order(()) }
    }

    /// To be called when the worker is told to stop. A checkpoint under way can't be called back.
    func stop() {
        ownership.stop()
        thread?.stop()
        collection?.stop()
        if !secondWithdrawal.awaitEnd(upTo: Checkpointer.longestStop) || thread?.awaitEnd(upTo: Checkpointer.longestStop) == false {
            worker.logger.warning("checkpoints: the store or the sink did not answer in time; what was asked of them may still happen")
        }
        // It may be cut off anywhere, as by a crash.
        _ = collection?.awaitEnd(upTo: Checkpointer.collectionGrace)
        if isCopying { unlink(file) }
    }

    /// For how long a stop waits for an archive, or a sink to withdraw from, that does not answer.
    private static let longestStop = Duration.seconds(5)
    /// For how long a stop waits for a collection under way.
    private static let collectionGrace = Duration.milliseconds(100)

    /// True while steps of a copy are to be made soon.
    var isCopying: Bool { checkpointing.copying != nil }

    /// The epoch that a published checkpoint covers.
    var covered: Epoch? { checkpointing.covered }

    /// Makes a step between epochs. `isUrgent`: rows wait for a checkpoint.
    func advance(epoch: Epoch, isUrgent: Bool) throws {
        try performing {
            if let content = checkpointing.next(now: Clock.now, epoch: epoch, isUrgent: isUrgent) { try begin(content, epoch) }
            if isCopying { try self.step(for: Checkpointer.step) }
        }
    }

    /// A disk that is full, or changes that came too fast, cost a checkpoint, not the run.
    private func performing(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as any Failure where error.kind == .retry {
            try failed(error)
        }
    }

    private func begin(_ content: FinishedCheckpoint.Content, _ epoch: Epoch) throws {
        if !checkpointing.isClaimed { try claimLate() }
        if case .delta = content {
            file = nextFile("delta")
            if try store.beginCopy(content, at: file) { return }
            checkpointing.changesAreGone()
        }
        file = nextFile("base")
        try store.keepChanges(after: epoch)
        _ = try store.beginCopy(.base, at: file)
    }

    /// The archive could not be asked when the run began.
    private func claimLate() throws {
        _ = try settings.archive.claim(try store.checkpointFacts(), checkpointing.changeAtRest)
        checkpointing.claimed()
    }

    private func step(for time: Duration) throws {
        guard let content = checkpointing.copying, let facts = try store.stepCopy(for: time) else { return }
        thread.order(FinishedCheckpoint(content: content, file: file, facts: facts, reason: checkpointing.copied()))
    }

    /// The publishing thread is done with a checkpoint.
    func published(_ result: Result<PublishedCheckpoint, any Error>) throws {
        guard checkpointing.publishing != nil else { throw WorkerError(.bug, "a checkpoint was published that nobody had ordered") }
        switch result {
        case .success(let published):
            let noted = note(published)
            if let plan = noted.withdrawsAgain { secondWithdrawal.begin(plan) }
            if noted.endsWithdrawal { try endWithdrawal() }
            if noted.endsSupersession { try endSupersession() }
            try store.keepChanges(after: noted.keepsChangesAfter)
        case .failure(let error as any Failure): try failed(error)
        case .failure(let error): throw error
        }
    }

    /// Where the disk is full, the next start looks once more.
    private func endWithdrawal() throws {
        do {
            try store.withdrawalDone(isFinal: true)
        } catch let error as any Failure where error.kind == .retry {
            worker.logger.error("checkpoints: that everything was withdrawn could not be noted, so the next start looks for it again: \(error)")
        }
    }

    /// Where the disk is full, the next start publishes a base first once more.
    private func endSupersession() throws {
        do {
            try store.supersessionDone()
        } catch let error as any Failure where error.kind == .retry {
            worker.logger.error("checkpoints: that the job goes on from this one alone could not be noted, so the next start begins with another base: \(error)")
        }
    }

    private func note(_ published: PublishedCheckpoint) -> Checkpointing.Published {
        worker.logger.debug("checkpoint \(published.number): epoch \(published.epoch), \(published.addedBytes) bytes more, \(published.totalBytes) in all")
        worker.publish { status in
            status.checkpoint.last = published
            status.checkpoint.lastAt = Clock.wallMilliseconds
            status.checkpoint.problem = nil
        }
        return checkpointing.published(published, isWithdrawnAgain: secondWithdrawal.isDone, now: Clock.now)
    }

    private func failed(_ error: any Failure) throws {
        guard checkpointing.failed(error.kind, now: Clock.now) else { throw error }
        worker.logger.error("checkpoints: none could be written, it is tried again: \(error)")
        worker.publish { $0.checkpoint.problem = error.description }
    }

    /// The last checkpoint of a run that drained, within the time that is left; what fails is logged, as the state is on
    /// this machine's disk.
    func finish(epoch: Epoch, before deadline: Duration) throws {
        try performing {
            while isCopying, Clock.now < deadline { try step(for: .milliseconds(500)) }
        }
        try awaitPublishing(until: deadline)
        guard !isUnderWay else { return worker.logger.warning("checkpoints: drain.timeout left no time for the last one") }
        try performing {
            let content = checkpointing.last(epoch: epoch)
            if content == .nothing {
                thread.order(FinishedCheckpoint(content: content, file: "", facts: try store.checkpointFacts(), reason: checkpointing.copied()))
            } else {
                try begin(content, epoch)
                while isCopying, Clock.now < deadline { try step(for: .milliseconds(500)) }
            }
        }
        try awaitPublishing(until: deadline)
        if isUnderWay { worker.logger.warning("checkpoints: drain.timeout left no time for the last one") }
    }

    /// Throws when the checkpoint of this epoch is not there, for a run whose purpose it is.
    func requireLast(of epoch: Epoch) throws {
        guard covered != epoch else { return }
        throw WorkerError(.retry, "everything is delivered, but the last checkpoint could not be written; see to the checkpoint store and run this again, or use the state directory instead of the checkpoint")
    }

    private var isUnderWay: Bool { isCopying || checkpointing.publishing != nil }

    private func awaitPublishing(until deadline: Duration) throws {
        while checkpointing.publishing != nil, Clock.now < deadline {
            let result = worker.inbox.wait(upTo: max(deadline - Clock.now, .milliseconds(1))) { inbox -> Result<PublishedCheckpoint, any Error>? in
                defer { inbox.checkpoint = nil }
                return inbox.checkpoint
            }
            if let result { try published(result) }
        }
    }
}
