import Engine

/// One life of a worker, from where reading begins to its end, in virtual time and on one thread.
///
/// Performs what the shipped loop wants: a commit blocks the loop and nobody else, deliveries go on beside, threads take their
/// orders whenever their next step comes.
final class SimulatedWorker {
    enum End {
        /// The loop said that all is done.
        case finished
        /// The drain took too long; what is undelivered stays in the outbox.
        case leftUndelivered
        /// Some partitions could not be read on; what was read before is durable.
        case unreadable
        /// Died in a commit; everything that was not durable is gone.
        case crashed
        case failed(any Error)
    }

    let parts: SimulationParts
    let process: SimulatedProcess?
    private let topology: Topology
    private let store: any StateStore
    let simulated: SimulatedStore
    private let openedTables: Set<String>
    private let checkpoints: SimulatedCheckpoints?
    private var random: SeededRandom
    var loop: WorkerLoop
    var inbox = RunInbox()
    private let threads: [SimulatedThread]
    /// The partitions whose leaders are asked; nil when nobody is asked any more.
    private var probed: [TopicPartition]? = []
    /// True while a commit is under way: the loop sees and hears nothing.
    private var isCommitting = false
    private(set) var end: End?
    /// When it was told to drain.
    private var drainBegan: Duration?
    private var isUnreadable = false
    /// Everything is delivered, or the time for that is over.
    private var isDelivered = false
    /// Since when that is so, and no checkpoint is under way.
    private var finishingSince: Duration?
    /// Why the last checkpoint may lack; nil when it must be there.
    private var lastCheckpointLacks = false

    /// A drain may take so much longer than it may: for a commit under way, and the next turn.
    private static let drainGrace = Duration.seconds(3)
    /// Until the next turn.
    private static let finishingGrace = Duration.seconds(1)

    private var time: VirtualTime { parts.time }

    init(_ surroundings: SimulatedSurroundings, _ start: RunStart, random: SeededRandom) {
        parts = surroundings.parts
        topology = surroundings.topology
        process = surroundings.process
        store = surroundings.store
        simulated = surroundings.simulated
        openedTables = surroundings.openedTables
        self.random = random
        loop = WorkerLoop(start, now: parts.time.now, coordinator: parts.implementations.coordinator)
        checkpoints = surroundings.archive.flatMap { archive in
            guard let world = surroundings.world, let process = surroundings.process else { return nil }
            return SimulatedCheckpoints(surroundings, archive, world, process, tables: start.rolledBackTables)
        }
        let unreadable = start.settings.readsUntilEnd ? 0 : parts.plan.unreadable
        var threads: [SimulatedThread] = []
        for group in start.groups.indices {
            threads.append(
                SimulatedThread(
                    group, of: start, log: parts.plan.log, unreadable: unreadable, time: parts.time, random: self.random.fork()))
        }
        self.threads = threads
    }

    func start() {
        checkpoints?.watch(self)
        attempt { loop.begin(now: time.now) }
        for number in threads.indices { runThread(number) }
        takeTurns()
        probeLeaders()
    }

    /// Reading stops, and what was read is committed and delivered.
    func drain() {
        drainBegan = drainBegan ?? time.now
        inbox.isDraining = true
    }

    /// The process is gone, at this very moment.
    func kill() { finish(.crashed) }

    private func finish(_ end: End) {
        if self.end == nil { self.end = end }
        process?.die()
    }

    /// What the loop promises of a run that it ended.
    private func checkEnd() {
        if isUnreadable, case .unreadable? = end {} else if isUnreadable { parts.violate("a run ended as if everything had been read") }
        if let began = drainBegan, time.now - began > parts.plan.drainTimeout + SimulatedWorker.drainGrace {
            parts.violate("a drain took \(time.now - began), and may take \(parts.plan.drainTimeout)")
        }
        if case .finished? = end, checkpoints != nil, !lastCheckpointLacks, loop.covered != loop.epoch {
            parts.violate("a run ended at epoch \(loop.epoch), and its last checkpoint is of \(loop.covered.map { "\($0)" } ?? "none")")
        }
    }

    private var isAlive: Bool { end == nil }

    /// True while what an earlier lineage delivered has to be looked for once more.
    var isToRollBackAgain: Bool { simulated.disk.rollback != nil && checkpoints?.isRolledBackAgain == false }

    // MARK: - What goes on by itself

    private func runThread(_ number: Int) {
        guard isAlive else { return }
        do {
            let step = try threads[number].step()
            for violation in step.violations { parts.violate(violation) }
            if let report = step.report { inbox.reports.append(report) }
            if step.isFull { inbox.isFull = true }
            if step.hasReachedEnd { inbox.groupsAtEnd += 1 }
            if let error = step.readingError {
                isUnreadable = true
                inbox.readingError = inbox.readingError ?? error
            }
        } catch {
            return finish(.failed(error))
        }
        time.after(random.milliseconds(in: random.percent(90) ? 5...150 : 150...900)) { [self] in runThread(number) }
    }

    private func takeTurns() {
        guard isAlive else { return }
        // As shipped: when something came, or the loop wants to be asked.
        if !isCommitting, !inbox.isEmpty || time.now >= loop.nextTurn {
            takeTurn(inbox.take())
        }
        checkFinishing()
        time.after(random.milliseconds(in: 1...80)) { [self] in takeTurns() }
    }

    private func takeTurn(_ taken: RunInbox) {
        attempt { try loop.turn(taken, now: time.now, timeOfCut: 0) }
        guard isAlive else { return }
        if taken.isOfAnotherWorkersJob { parts.violate("process \(process?.number ?? 0) heard that the job is another's, and goes on") }
        if !isCommitting, drainBegan == nil, !isDelivered { checkpoints?.check(loop) }
    }

    /// When everything is delivered, the run ends or makes its last checkpoint, at once.
    private func checkFinishing() {
        guard isAlive, isDelivered, checkpoints?.isUnderWay != true else {
            finishingSince = nil
            return
        }
        let since = finishingSince ?? time.now
        finishingSince = since
        guard time.now - since > SimulatedWorker.finishingGrace else { return }
        parts.violate("for \(time.now - since) everything is delivered, and the run neither ends nor makes its last checkpoint")
    }

    /// Asks the leaders of quiet partitions where their logs end; some answers are lost.
    private func probeLeaders() {
        guard isAlive, let probed else { return }
        var ends: [TopicPartition: Int64] = [:]
        for partition in probed.sorted() where random.percent(95) { ends[partition] = parts.plan.log.end(of: partition, now: time.now) }
        if !ends.isEmpty { for thread in threads { thread.orders.leadersAnswered(ends, at: time.now) } }
        time.after(parts.plan.idleAfter / 4) { [self] in probeLeaders() }
    }

    // MARK: - What the loop wants

    /// Performs what the loop answers, and ends with the run, or with what ends it.
    func attempt(_ body: () throws -> [WorkerLoop.Action]) {
        guard isAlive else { return }
        do {
            try perform(try body())
            guard isAlive, let outcome = try loop.result() else { return }
            finish(outcome == .complete ? .finished : .leftUndelivered)
            checkEnd()
        } catch is SimulatedUnreadable {
            parts.count("lives that could not read on")
            finish(.unreadable)
            checkEnd()
        } catch {
            finish(.failed(error))
        }
    }

    private func perform(_ actions: [WorkerLoop.Action]) throws {
        for action in actions where isAlive {
            switch action {
            case .order(let order, let group):
                if case .raise(let watermarks, let isEnding) = order {
                    parts.trace.note(
                        "raise \(watermarks.sorted { $0.key < $1.key }.map { "\($0.key) to \($0.value)" })\(isEnding ? ", ending" : "")")
                    parts.count(isEnding ? "closings" : "idle raises")
                }
                for (number, thread) in threads.enumerated() where group == nil || group == number { thread.orders.add(order) }
            case .commit(let cut):
                isCommitting = true
                parts.trace.note("epoch \(cut.epoch) is committed: \(cut.frozen.map(\.id)) frozen, \(cut.delivered) delivered")
                commit(cut)
            case .waitToCommit(let pause):
                parts.count("commits that waited")
                waitToCommit(until: time.now + pause)
            case .deliver(let batch, let mayHaveBeenSent): deliver(batch, mayHaveBeenSent)
            case .probe(let partitions): probed = probed == nil ? nil : partitions
            case .stopProbing: probed = nil
            case .keepHouse: try perform(try keepHouse())
            case .checkpoint(let action): try perform(try perform(action))
            case .tell(let remark): note(remark)
            case .show, .tellSource: break
            }
        }
    }

    private func note(_ remark: RunRemark) {
        switch remark {
        case .committed: return
        case .holdsReading: parts.count("holds")
        case .checkpointed:
            parts.count("checkpoints")
            checkpoints?.heard()
            checkpoints?.checkSecondRollback()
            lastCheckpointLacks = false
        case .checkpointFailed:
            parts.count("checkpoints that failed")
            checkpoints?.heard()
            lastCheckpointLacks = true
        case .lastCheckpointIsMissing: lastCheckpointLacks = true
        // An error of reading begins one as well, once the loop hears of it.
        case .draining: drainBegan = drainBegan ?? time.now
        case .deliveryIsOver: isDelivered = true
        case .housekeepingWaits: parts.count("steps of housekeeping that waited")
        default: break
        }
        parts.trace.note("the loop says: \(remark)")
    }

    private func commit(_ cut: EpochCut) {
        let started = time.now
        time.after(random.milliseconds(in: random.percent(90) ? 1...20 : 20...600)) { [self] in
            guard isAlive else { return }
            do {
                try store.commit(cut)
            } catch is SimulatedCrash {
                return finish(.crashed)
            } catch {
                return attempt { try loop.commitFailed(error, now: time.now) }
            }
            isCommitting = false
            attempt { loop.committed(taking: time.now - started, now: time.now) }
        }
    }

    private func waitToCommit(until due: Duration) {
        guard isAlive else { return }
        if time.now >= due || loop.endsWait(inbox) { return attempt { try loop.commitIsDue(inbox, now: time.now) } }
        time.after(min(due - time.now, .milliseconds(50))) { [self] in waitToCommit(until: due) }
    }

    private func keepHouse() throws -> [WorkerLoop.Action] {
        do {
            return loop.kept(try store.maintain(), taking: .zero, now: time.now)
        } catch {
            return try loop.keepingFailed(error)
        }
    }

    private func perform(_ action: WorkerLoop.CheckpointAction) throws -> [WorkerLoop.Action] {
        guard let checkpoints else { throw SimulatedFailure(.bug, "there is no archive") }
        do {
            return try checkpoints.perform(action, for: self)
        } catch {
            return try loop.failed(action, error, now: time.now)
        }
    }

    // MARK: - Deliveries

    private func willSend(_ batch: SinkBatch) {
        parts.willSend(batch, from: simulated.disk)
        if !openedTables.contains(batch.table) {
            parts.violate("\(batch.id) was sent, and the start did not hold its table against the state")
        }
    }

    private func deliver(_ batch: SinkBatch, _ mayHaveBeenSent: Bool) {
        guard isAlive else { return }
        if let checkpoints, !checkpoints.mayDeliver {
            return time.after(.milliseconds(100)) { [self] in deliver(batch, mayHaveBeenSent) }
        }
        let rules = parts.implementations.delivery(BatchDelivery(rowCount: batch.rowCount, mayHaveBeenSent: mayHaveBeenSent))
        let delivery = SimulatedDelivery(
            batch, as: parts.implementations.layout(batch, topology), rules: rules, sink: parts.sink, time: time,
            isAlive: { [self] in isAlive && checkpoints?.isLost != true },
            isHeld: { [self] in checkpoints?.mustHold == true },
            willSend: { [self] in willSend($0) },
            ended: { [self] result in
                switch result {
                case .delivered: inbox.deliveries.append(batch.id)
                case .held: deliver(batch, true)
                case .stopped(let found):
                    finish(.failed(SimulatedFailure(.invalid, "\(batch.id) has \(batch.rowCount) rows, the sink holds \(found)")))
                }
            }
        )
        delivery.proceed()
    }
}
