import Engine

/// One life of a worker, from its start on the durable state to its end, in virtual time and on one thread.
///
/// It performs the coordinator's actions in order, as the real worker does: a commit blocks the coordinator and nobody
/// else, deliveries go on beside, threads take their orders whenever their next step comes.
final class SimulatedWorker {
    enum End {
        /// The coordinator said that all is done.
        case finished
        /// The drain took too long; what is undelivered stays in the outbox.
        case leftUndelivered
        /// Died in a commit; everything that was not durable is gone.
        case crashed
        case failed(any Error)
    }

    private let parts: SimulationParts
    private let topology: Topology
    private let store: any StateStore
    private let disk: SimulatedDisk
    let process: SimulatedProcess?
    private let checkpointer: SimulatedCheckpointer?
    private var isFinishing = false
    private var random: SeededRandom
    private var coordinator: any RunCoordinator
    private let threads: [SimulatedThread]
    private let threadOf: [TaskID: Int]
    private let startEpoch: Epoch
    private var reports: [SimulatedThread.Report] = []
    private var deliveries: [SinkBatchID] = []
    private var isFull = false
    private var atEnd: Set<Int> = []
    private var wantsDrain = false
    private var drainDeadline: Duration?
    private var candidates: Set<TopicPartition> = []
    /// True while a commit is under way: the coordinator sees and hears nothing.
    private var isCommitting = false
    private(set) var end: End?

    private var time: VirtualTime { parts.time }

    /// `checkpointer`: of the process that it runs in; nil for a worker without.
    init(
        _ parts: SimulationParts, _ topology: Topology, store: any StateStore, disk: SimulatedDisk, isBounded: Bool, random: SeededRandom,
        checkpointer: SimulatedCheckpointer? = nil, process: SimulatedProcess? = nil
    ) throws {
        self.parts = parts
        self.topology = topology
        self.store = store
        self.disk = disk
        self.checkpointer = checkpointer
        self.process = process
        self.random = random
        let restored = try store.open(topology)
        let plan = try SimulatedPlan(parts, topology, store, restored)
        startEpoch = restored.epoch
        parts.countWaiting(restored, of: topology)
        let routes = TaskRoutes(topology, partitions: parts.plan.log.partitionCounts)
        let outbox = Outbox(
            lineage: restored.lineage, tables: restored.outboxes(of: restored.outboxTables(of: topology)), flushInterval: parts.plan.flushInterval,
            limits: parts.plan.outboxLimits, now: parts.time.now
        )
        let schedule = EpochSchedule(interval: parts.plan.epochInterval, now: parts.time.now)
        coordinator = parts.implementations.coordinator(Coordinator(
            restored: restored, routes: routes, outbox: outbox, schedule: schedule, wait: checkpointer?.wait ?? .nothing
        ))
        threads = plan.threads(isBounded: isBounded, random: &self.random)
        var threadOf: [TaskID: Int] = [:]
        for (number, thread) in threads.enumerated() {
            for member in thread.members { threadOf[member.id] = number }
        }
        self.threadOf = threadOf
    }

    func start() {
        checkpointer?.watch()
        if let covered = checkpointer?.covered { perform(coordinator.covered(through: covered)) }
        perform(coordinator.start())
        for number in threads.indices { runThread(number) }
        runCoordinator()
        probeLeaders()
    }

    /// Reading stops, and what was read is committed and delivered.
    func drain() { wantsDrain = true }

    /// The process is gone, at this very moment.
    func kill() { finish(.crashed) }

    private func finish(_ end: End) {
        if self.end == nil { self.end = end }
        process?.die()
    }

    private var isAlive: Bool { end == nil }

    /// True while what an earlier lineage delivered has to be looked for once more.
    var isToWithdrawAgain: Bool { disk.withdrawal != nil && checkpointer?.isWithdrawnAgain == false }

    // MARK: - What goes on by itself

    private func runThread(_ number: Int) {
        guard isAlive else { return }
        let thread = threads[number]
        do {
            try thread.step()
        } catch {
            return finish(.failed(error))
        }
        if let report = thread.report { reports.append(report) }
        thread.report = nil
        isFull = isFull || thread.isFull
        if thread.hasReachedEnd { atEnd.insert(number) }
        time.after(random.milliseconds(in: random.percent(90) ? 5...150 : 150...900)) { [self] in runThread(number) }
    }

    private func runCoordinator() {
        guard isAlive else { return }
        if !isCommitting { attend() }
        time.after(random.milliseconds(in: 1...80)) { [self] in runCoordinator() }
    }

    /// Asks the leaders of quiet partitions where their logs end; some answers are lost.
    private func probeLeaders() {
        guard isAlive else { return }
        var ends: [TopicPartition: Int64] = [:]
        for partition in candidates.sorted() where random.percent(95) { ends[partition] = parts.plan.log.end(of: partition, now: time.now) }
        if !ends.isEmpty { for thread in threads { thread.mail.ends.append(ends) } }
        time.after(parts.plan.idleAfter / 4) { [self] in probeLeaders() }
    }

    // MARK: - The coordinator

    private func attend() {
        if let checkpointer, !attend(checkpointer) { return }
        if let drainDeadline, time.now >= drainDeadline { return finish(.leftUndelivered) }
        for id in deliveries { perform(coordinator.delivered(id)) }
        deliveries = []
        if wantsDrain && drainDeadline == nil {
            drainDeadline = time.now + parts.plan.drainTimeout
            perform(coordinator.drain())
        }
        if !atEnd.isEmpty && atEnd.count == threads.filter(\.isReading).count {
            atEnd = []
            perform(coordinator.reachedEnd())
        }
        if reports.count == threads.count {
            let handedIn = reports
            reports = []
            isFull = false
            candidates = Set(handedIn.flatMap(\.candidates))
            perform(coordinator.tasksCut(handedIn.flatMap(\.reports), now: time.now, wallClock: 0))
        } else {
            perform(coordinator.tick(now: time.now, isFull: isFull))
        }
    }

    /// Makes a step of the checkpoints; false when that is all there is to do.
    private func attend(_ checkpointer: SimulatedCheckpointer) -> Bool {
        do {
            if let covered = try checkpointer.heed() { perform(coordinator.covered(through: covered)) }
            if isFinishing {
                let isOver = drainDeadline.map { time.now >= $0 } ?? false
                if try checkpointer.finish(epoch: coordinator.epoch) || isOver { finish(.finished) }
                return false
            }
            try checkpointer.advance(epoch: coordinator.epoch, isUrgent: coordinator.awaitsCheckpoint)
        } catch {
            finish(.failed(error))
        }
        return isAlive
    }

    /// Everything is delivered; the last checkpoint says so.
    private func finishWithCheckpoint() {
        guard checkpointer != nil else { return finish(.finished) }
        isFinishing = true
        drainDeadline = drainDeadline ?? time.now + parts.plan.drainTimeout
    }

    /// Performs actions in order; those behind a commit wait for it.
    private func perform(_ actions: [Coordinator.Action]) {
        for (index, action) in actions.enumerated() where isAlive {
            switch action {
            case .requestCut(let epoch): for thread in threads { thread.mail.cut = epoch }
            case .commit(let cut):
                isCommitting = true
                parts.trace.note("epoch \(cut.epoch) is committed: \(cut.frozen.map(\.id)) frozen, \(cut.delivered) delivered")
                return commit(cut, started: time.now, then: Array(actions[(index + 1)...]))
            case .deliver(let batch, let mayHaveBeenSent): deliver(batch, mayHaveBeenSent)
            case .receive(let batches, let upstream): receive(batches, upstream)
            case .raiseWatermarks(let watermarks, let isEnding):
                parts.trace.note("raise \(watermarks.sorted { $0.key < $1.key }.map { "\($0.key) to \($0.value)" })\(isEnding ? ", ending" : "")")
                parts.count(isEnding ? "closings" : "idle raises")
                for thread in threads { thread.mail.raised.append((watermarks, isEnding)) }
            case .holdReading(let isHeld):
                parts.trace.note(isHeld ? "reading is held" : "reading goes on")
                parts.count("holds")
                for thread in threads { thread.mail.isHeld = isHeld }
            case .stopReading: for thread in threads { thread.mail.isReadingOver = true }
            case .finished: finishWithCheckpoint()
            }
        }
    }

    private func receive(_ batches: [MessageBatch], _ upstream: UpstreamProgress) {
        guard !upstream.isEmpty else { return }
        for (number, thread) in threads.enumerated() {
            thread.mail.received.append((batches.filter { threadOf[$0.id.to] == number }, upstream))
        }
    }

    private func commit(_ cut: EpochCut, started: Duration, then rest: [Coordinator.Action]) {
        time.after(random.milliseconds(in: random.percent(90) ? 1...20 : 20...600)) { [self] in
            guard isAlive else { return }
            do {
                try store.commit(cut)
            } catch let error as any Failure where error.kind == .retry {
                parts.count("commits that waited")
                return time.after(.seconds(1)) { [self] in retry(cut, started, rest) }
            } catch is SimulatedCrash {
                return finish(.crashed)
            } catch {
                return finish(.failed(error))
            }
            isCommitting = false
            perform(coordinator.committed(cut, taking: time.now - started))
            perform(rest)
            maintain()
        }
    }

    private func retry(_ cut: EpochCut, _ started: Duration, _ rest: [Coordinator.Action]) {
        guard isAlive else { return }
        if wantsDrain && drainDeadline == nil { drainDeadline = time.now + parts.plan.drainTimeout }
        if let drainDeadline, time.now >= drainDeadline { return finish(.leftUndelivered) }
        commit(cut, started: started, then: rest)
    }

    private func maintain() {
        do {
            let folded = try store.maintain().foldedThrough
            guard folded >= startEpoch else { return }
            let cuts = UInt32(folded.number - startEpoch.number)
            let bytes = random.percent(50) ? random.number(in: 0...4_000) : 0
            for thread in threads { thread.mail.release = (cuts, bytes) }
        } catch {
            finish(.failed(error))
        }
    }

    // MARK: - Deliveries

    private func deliver(_ batch: SinkBatch, _ mayHaveBeenSent: Bool) {
        guard isAlive else { return }
        if let checkpointer, !checkpointer.mayDeliver {
            return time.after(.milliseconds(100)) { [self] in deliver(batch, mayHaveBeenSent) }
        }
        let rules = parts.implementations.delivery(BatchDelivery(rowCount: batch.rowCount, mayHaveBeenSent: mayHaveBeenSent))
        let delivery = SimulatedDelivery(
            batch, as: parts.implementations.layout(batch, topology), rules: rules, sink: parts.sink, time: time,
            isAlive: { [self] in isAlive && checkpointer?.lost == nil },
            isHeld: { [self] in checkpointer?.mustHold == true },
            willSend: { [parts, disk] in parts.willSend($0, from: disk) },
            ended: { [self] result in
                switch result {
                case .delivered: deliveries.append(batch.id)
                case .held: deliver(batch, true)
                case .stopped(let found):
                    finish(.failed(SimulatedFailure(.invalid, "\(batch.id) has \(batch.rowCount) rows, the sink holds \(found)")))
                }
            }
        )
        delivery.proceed()
    }
}
