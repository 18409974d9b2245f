import Engine
import Foundation
import Logging

/// A run under way: the coordinator's thread, which also commits, around the state machine that decides.
final class WorkerRun {
    private let worker: Worker
    private let plan: WorkerPlan
    private let references: ReadWriteLock?
    private let clock: ClockWatch
    /// Where reading begins.
    private let starts: [TopicPartition: Int64]
    private var coordinator: Coordinator
    private var threads: [TaskThread] = []
    private var threadOf: [TaskID: Int] = [:]
    private var liveThreads = Monitor(0)
    private var readingThreads = 0
    private var sinks: SinkThreads!
    private var probe: LeaderProbe!
    private var pendingReports: [ThreadReport] = []
    private var threadsAtEnd = 0
    private var drainDeadline: Duration?
    private var isDraining = false
    /// What ends the run once everything that was read before it is durable and delivered.
    private var readingError: (any Error)?
    /// Since when the present part of the drain goes on; nil before a drain.
    private var drainPartBegan: Duration?
    /// When reading began; nil before that, and once the log has what the start took.
    private var readingBegan: Duration?
    private var firstRecord: Duration?
    private var isFinished = false
    private var isFull = false
    private var isHeldByDeliveries = false
    /// The records' bytes in memory, as the last epoch's reports say.
    private var stateBytes = 0
    private var nextHousekeeping: Duration?
    private var foldedThrough = Epoch(0)

    /// Between two tries of a commit that found the disk full.
    private static let commitRetry = Duration.seconds(1)
    /// For how long the first record is waited for before the log has what the start took without it.
    private static let firstRecordLimit = Duration.seconds(10)

    /// `references`: the lock that tasks hold while they process, if they look things up.
    init(_ worker: Worker, _ plan: WorkerPlan, references: ReadWriteLock?) throws {
        self.worker = worker
        self.references = references
        self.plan = plan
        let now = Clock.now
        let settings = worker.settings
        let outbox = Outbox(
            lineage: plan.restored.lineage, tables: plan.restored.outboxes(of: plan.outboxTables), flushInterval: settings.flushInterval, limits: settings.outboxLimits, now: now
        )
        coordinator = Coordinator(
            restored: plan.restored, routes: TaskRoutes(worker.topology, partitions: plan.partitions), outbox: outbox,
            schedule: EpochSchedule(interval: settings.epochInterval, now: now),
            wait: plan.checkpointer?.wait ?? .nothing
        )
        clock = ClockWatch(settings, lastReadAt: plan.restored.lastReadAt, sink: worker.sink, logger: worker.logger)
        starts = try worker.source.open(plan.assignments)
        for assignment in plan.assignments where assignment.position == nil {
            guard let start = starts[assignment.partition] else {
                throw WorkerError(.bug, "the source does not say where it begins to read \(assignment.partition)")
            }
            plan.readers[assignment.partition]?.begin(at: start)
        }
        try makeThreads(stopAt: settings.readsUntilEnd || settings.endsBeforeRepartition ? try endsNow() : nil)
        let sinkOf = plan.outboxTables.map { ($0.name, $0.sink.flatMap { worker.furtherSinks[$0] } ?? worker.sink) }
        sinks = SinkThreads(Dictionary(uniqueKeysWithValues: sinkOf), ownership: plan.checkpointer?.ownership) { [worker] id, result in
            worker.inbox.update { inbox in
                switch result {
                case .success(.delivered): inbox.deliveries.append(id)
                case .success(.cancelled): break
                case .failure(let error): inbox.error = inbox.error ?? error
                }
            }
        }
        let mails = threads.map(\.mail)
        probe = LeaderProbe(worker.source, interval: settings.idleAfter / 4) { ends, time in
            for mail in mails { mail.update { $0.leaderAnswers.append((ends, time)) } }
        }
    }

    /// No partition is idle for so long.
    private static let never = Duration.seconds(1 << 32)

    /// For how long a bounded run waits to learn where the partitions end.
    private static let endsTimeout = Duration.seconds(30)

    private func endsNow() throws -> [TopicPartition: Int64] {
        let partitions = plan.assignments.map(\.partition)
        let ends = worker.source.ends(of: partitions, timeout: WorkerRun.endsTimeout)
        let missing = partitions.filter { ends[$0] == nil }
        guard missing.isEmpty else {
            throw WorkerError(.invalid, "nobody says where \(missing.count) partitions end (\(missing[0]) is one); check that their leaders are up, then start again")
        }
        return ends
    }

    private func makeThreads(stopAt: [TopicPartition: Int64]?) throws {
        let cores = worker.settings.threads > 0 ? worker.settings.threads : ProcessInfo.processInfo.activeProcessorCount
        let count = max(1, min(cores, plan.tasks.count))
        // At least one: a share of nothing would be used up before the first record.
        let limits = TaskThread.Limits(records: max(1, worker.settings.epochRecords / count), bytes: max(1, worker.settings.epochBytes / count))
        for number in 0..<count {
            let tasks = plan.tasks.enumerated().filter { $0.offset % count == number }.map(\.element)
            let ids = Set(tasks.map(\.id))
            let partitions = plan.readers.filter { ids.contains($0.value.id) }
            let reader = partitions.isEmpty ? nil : try worker.source.makeReader(of: partitions.keys.sorted())
            threads.append(TaskThread(
                tasks: tasks, partitions: partitions, reader: reader, stopAt: stopAt, limits: limits,
                idleAfter: worker.settings.endsBeforeRepartition ? WorkerRun.never : worker.settings.idleAfter, references: references, clock: clock,
                events: Events(worker)
            ))
            for id in ids { threadOf[id] = number }
            if !partitions.isEmpty { readingThreads += 1 }
        }
    }

    /// `@unchecked Sendable`: the worker's inbox is a monitor, and nothing else is used.
    private final class Events: ThreadEvents, @unchecked Sendable {
        private let inbox: Monitor<WorkerInbox>
        init(_ worker: Worker) { inbox = worker.inbox }
        func handedIn(_ report: ThreadReport) { inbox.update { $0.reports.append(report) } }
        func reachedEnd() { inbox.update { $0.threadsAtEnd += 1 } }
        func readingFailed(_ error: any Error) { inbox.update { $0.readingError = $0.readingError ?? error } }
        func failed(_ error: any Error) { inbox.update { $0.error = $0.error ?? error } }
        func progressed(isFull: Bool) {
            if isFull { inbox.update { $0.isFull = true } }
        }
    }

    // MARK: - The loop

    func loop() throws -> RunOutcome {
        try raiseWatermarks()
        publishStart()
        let doubtful = plan.restored.outbox.reduce(0) { $0 + $1.undelivered.count }
        if doubtful > 0 { worker.logger.notice("\(doubtful) batches of an earlier start may have been sent: settling them first") }
        sinks.start()
        probe.start()
        for (number, thread) in threads.enumerated() {
            liveThreads.update { $0 += 1 }
            let started = Thread { [liveThreads] in
                thread.run()
                liveThreads.update { $0 -= 1 }
            }
            started.name = "tasks \(number)"
            started.stackSize = 4 << 20
            started.start()
        }
        worker.logger.info("reading begins")
        readingBegan = Clock.now
        plan.checkpointer?.start()
        if let covered = plan.checkpointer?.covered { try perform(coordinator.covered(through: covered)) }
        try perform(coordinator.start())
        if readingThreads == 0 { try reachedEnd() }
        while !isFinished {
            let now = Clock.now
            if let drainDeadline, now >= drainDeadline {
                endDrainPart(.delivery)
                worker.publish { $0.phase = .finished }
                if let readingError { throw readingError }
                return .undelivered(bytes: coordinator.waitingBytes)
            }
            try perform(coordinator.tick(now: now, isFull: isFull))
            try plan.checkpointer?.advance(epoch: coordinator.epoch, isUrgent: coordinator.awaitsCheckpoint)
            if let nextHousekeeping, Clock.now >= nextHousekeeping { try maintain(isAfterEpoch: false) }
            var limit = min(coordinator.nextCut, drainDeadline ?? coordinator.nextCut, nextHousekeeping ?? coordinator.nextCut)
            if plan.checkpointer?.isCopying == true { limit = min(limit, Clock.now + Checkpointer.pauseBetweenSteps) }
            let inbox = worker.inbox.wait(upTo: max(limit - Clock.now, .milliseconds(1))) { $0.isEmpty ? nil : $0.take() }
            if let inbox { try heed(inbox) }
            tellStart()
            tellClock()
        }
        endDrainPart(.delivery)
        try plan.checkpointer?.finish(epoch: coordinator.epoch, before: drainDeadline ?? Clock.now + worker.settings.drainTimeout)
        endDrainPart(.checkpoint)
        worker.publish { $0.phase = .finished }
        if let readingError { throw readingError }
        if worker.settings.endsBeforeRepartition {
            if !isReadToEnd { try plan.refuseUnread(worker) }
            try plan.checkpointer?.requireLast(of: coordinator.epoch)
        }
        return .complete
    }

    /// What a repartition left to be done. The stages behind hear of it with the first epoch, after what closes here.
    private func raiseWatermarks() throws {
        references?.lockForReading()
        defer { references?.unlock() }
        for task in plan.tasks {
            guard let raise = plan.restored.tasks[task.id]?.raise else { continue }
            try task.raiseWatermark(to: raise.watermark, firingTimers: !raise.isEnded)
        }
    }

    /// What is known before the first epoch, so that what is read next and what waits is shown though no record comes.
    private func publishStart() {
        let starts = starts
        let partitions = Dictionary(uniqueKeysWithValues: plan.readers.map { ($1.id, $0) })
        worker.publish { status in
            status.phase = .running
            status.lineage = plan.restored.lineage
            status.epoch = plan.restored.epoch
            status.tasks = plan.tasks.map { task in
                let begun = partitions[task.id].flatMap { starts[$0] }.map { SourcePosition(next: $0, last: nil) }
                return WorkerStatus.Task(
                    id: task.id, watermark: task.watermark, position: plan.restored.tasks[task.id]?.position ?? begun, isIdle: false, counters: TaskCounters()
                )
            }.sorted { $0.id < $1.id }
            status.outbox = coordinator.outbox.depths
            status.outboxBytes = coordinator.outbox.bytes
        }
    }

    private var isReadToEnd: Bool { threadsAtEnd == readingThreads }

    /// Every partition of a run that ends by itself is read to where it ended at the start.
    private func reachedEnd() throws {
        if worker.settings.readsUntilEnd { try perform(coordinator.reachedEnd()) }
        if worker.settings.endsBeforeRepartition { try perform(coordinator.drain()) }
    }

    private func heed(_ inbox: WorkerInbox) throws {
        if let error = inbox.error { throw error }
        isFull = isFull || inbox.isFull
        for id in inbox.deliveries { try perform(coordinator.delivered(id)) }
        if let result = inbox.checkpoint, let checkpointer = plan.checkpointer {
            try checkpointer.published(result)
            if let covered = checkpointer.covered { try perform(coordinator.covered(through: covered)) }
        }
        if let error = inbox.readingError, readingError == nil {
            readingError = error
            worker.logger.error("the run ends when what was read before is delivered: \(error)")
            worker.publish { $0.problem = "\(error)" }
        }
        if inbox.isDraining || readingError != nil { try drain() }
        threadsAtEnd += inbox.threadsAtEnd
        if inbox.threadsAtEnd > 0 && isReadToEnd { try reachedEnd() }
        pendingReports += inbox.reports
        guard pendingReports.count == threads.count else { return }
        let reports = pendingReports
        pendingReports = []
        firstRecord = firstRecord ?? reports.compactMap(\.firstRecord).min()
        isFull = false
        probe.look(at: Set(reports.flatMap(\.candidates)))
        let actions = coordinator.tasksCut(reports.flatMap(\.reports), now: Clock.now, wallClock: clock.timeOfCut)
        publish(reports)
        try perform(actions)
        stateBytes = reports.reduce(0) { $0 + $1.stateBytes }
        try maintain(isAfterEpoch: true)
    }

    private func drain() throws {
        guard !isDraining else { return }
        isDraining = true
        drainPartBegan = Clock.now
        drainDeadline = drainDeadline ?? Clock.now + worker.settings.drainTimeout
        worker.logger.info("draining: no more records are read")
        worker.publish { $0.phase = .draining }
        try perform(coordinator.drain())
    }

    private func perform(_ actions: [Coordinator.Action]) throws {
        for action in actions {
            switch action {
            case .requestCut(let epoch): for thread in threads { thread.mail.update { $0.cut = epoch } }
            case .commit(let cut): try commit(cut)
            case .deliver(let batch, let mayHaveBeenSent): sinks.deliver(batch, mayHaveBeenSent: mayHaveBeenSent)
            case .receive(let batches, let upstream): receive(batches, upstream)
            case .raiseWatermarks(let watermarks, let isEnding):
                for thread in threads { thread.mail.update { $0.raised.append((watermarks, isEnding)) } }
            case .holdReading(let isHeld):
                for thread in threads { thread.mail.update { $0.isHeld = isHeld } }
                isHeldByDeliveries = isHeld
                worker.publish { $0.isReadingHeld = isHeld || $0.clockDoubt != nil }
                worker.logger.notice(isHeld ? "reading is held back: too much is undelivered" : "reading goes on")
            case .stopReading:
                for thread in threads { thread.mail.update { $0.isReadingOver = true } }
                // Nobody is idle any more, and a leader that does not answer would hold up the end.
                probe.end()
            case .finished: isFinished = true
            }
        }
    }

    private func receive(_ batches: [MessageBatch], _ upstream: UpstreamProgress) {
        guard !upstream.isEmpty else { return }
        for (number, thread) in threads.enumerated() {
            let own = batches.filter { threadOf[$0.id.to] == number }
            thread.mail.update { $0.received.append((own, upstream)) }
        }
    }

    /// Commits, waiting for as long as the disk is full: meanwhile the tasks fill one more epoch and then stop reading.
    private func commit(_ cut: EpochCut) throws {
        var cut = cut
        if worker.settings.endsBeforeRepartition && isReadToEnd && coordinator.hasCutEverything { cut.readBefore = plan.grown }
        // Of the try that succeeded: the time that the disk was full says nothing about how long commits take.
        var started = Clock.now
        while true {
            do {
                started = Clock.now
                try worker.store.commit(cut)
                break
            } catch let error as any Failure where error.kind == .retry {
                worker.logger.error("epoch \(cut.epoch) waits: \(error)")
                worker.publish { $0.problem = error.description }
                if try waitForDisk() { return }
            }
        }
        let duration = Clock.now - started
        worker.publish { $0.problem = nil; $0.lastCommit = duration; $0.epoch = cut.epoch }
        report(cut)
        try perform(coordinator.committed(cut, taking: duration))
        if isDraining, worker.status.drain.isEmpty, coordinator.hasCutEverything || isFinished { endDrainPart(.reading) }
    }

    private func endDrainPart(_ part: DrainPart) {
        guard let began = drainPartBegan else { return }
        let now = Clock.now
        worker.publish { $0.drain.add(part, now - began) }
        drainPartBegan = now
    }

    /// Threads look at the clock themselves; this is for people.
    private func tellClock() {
        let doubt = clock.tell()
        guard doubt?.description != worker.status.clockDoubt else { return }
        worker.publish { $0.clockDoubt = doubt?.description; $0.isReadingHeld = isHeldByDeliveries || doubt != nil }
    }

    /// Once, as soon as there is a record, or when none has come in a while.
    private func tellStart() {
        guard let began = readingBegan, firstRecord != nil || Clock.now - began >= WorkerRun.firstRecordLimit else { return }
        readingBegan = nil
        worker.tellStart(from: plan.restored.isNew ? nil : plan.restored.epoch, record: firstRecord.map { $0 - began })
    }

    /// Waits before the next try; true when the drain ran out of time meanwhile.
    private func waitForDisk() throws -> Bool {
        if drainDeadline == nil, worker.inbox.wait(upTo: WorkerRun.commitRetry, { $0.isDraining ? true : nil }) != nil {
            drainDeadline = Clock.now + worker.settings.drainTimeout
        }
        guard let drainDeadline else { return false }
        Thread.sleep(forTimeInterval: WorkerRun.commitRetry.seconds)
        return Clock.now >= drainDeadline
    }

    private func report(_ cut: EpochCut) {
        var positions: [TopicPartition: Int64] = [:]
        let partitions = Dictionary(uniqueKeysWithValues: plan.readers.map { ($1.id, $0) })
        for task in cut.tasks {
            if let position = task.position, let partition = partitions[task.task] { positions[partition] = position.next }
        }
        if !positions.isEmpty { worker.source.report(positions) }
    }

    /// Folds a step after each epoch, and more between epochs while there is something left, and tells the threads what may
    /// leave their memory.
    private func maintain(isAfterEpoch: Bool) throws {
        do {
            var (done, took) = try housekeepingStep()
            while done.left == .tooMuch, !worker.isStopping.look({ $0 }) {
                Thread.sleep(forTimeInterval: WorkerRun.housekeepingPause.seconds)
                (done, took) = try housekeepingStep()
            }
            // As long as it took, writing to the disk included, those who read evicted records have after it.
            nextHousekeeping = done.left == .some ? Clock.now + max(took, WorkerRun.housekeepingPause) : nil
            guard isAfterEpoch || done.foldedThrough > foldedThrough else { return }
            foldedThrough = done.foldedThrough
            let start = plan.restored.epoch.number
            guard done.foldedThrough.number >= start else { return }
            let excess = max(0, stateBytes - worker.settings.memoryBudget)
            let cuts = UInt32(truncatingIfNeeded: done.foldedThrough.number - start)
            for thread in threads { thread.mail.update { $0.release = (cuts, excess / threads.count) } }
        } catch let error as any Failure where error.kind == .retry {
            nextHousekeeping = nil
            worker.logger.error("housekeeping waits: \(error)")
        }
    }

    private func housekeepingStep() throws -> (Housekeeping, took: Duration) {
        let start = Clock.now
        return (try worker.store.maintain(for: WorkerRun.housekeepingTime), Clock.now - start)
    }

    /// How long a step of folding goes on before it is committed, and the least time after it.
    private static let housekeepingTime = Duration.milliseconds(10)
    private static let housekeepingPause = Duration.milliseconds(5)

    private func publish(_ reports: [ThreadReport]) {
        // What a later stage was too late for counts where it was read.
        let lateElsewhere = reports.flatMap(\.counters.values).reduce(into: [TaskID: UInt64]()) { $0.merge($1.lateOf, uniquingKeysWith: +) }
        worker.publish { status in
            status.tasks = reports.flatMap { report in
                report.reports.map {
                    var counters = report.counters[$0.cut.task] ?? TaskCounters()
                    counters.late += lateElsewhere[$0.cut.task] ?? 0
                    counters.rejected += lateElsewhere[$0.cut.task] ?? 0
                    return WorkerStatus.Task(
                        id: $0.cut.task, watermark: $0.cut.watermark,
                        position: $0.cut.position ?? status.tasks.first { [id = $0.cut.task] in $0.id == id }?.position,
                        isIdle: $0.isIdle, counters: counters
                    )
                }
            }.sorted { $0.id < $1.id }
            status.stateBytes = reports.reduce(0) { $0 + $1.stateBytes }
            status.outbox = coordinator.outbox.depths
            status.outboxBytes = coordinator.outbox.bytes
        }
    }

    /// Ends every thread of the run.
    func stop() {
        worker.isStopping.update { $0 = true }
        for thread in threads { thread.mail.update { $0.isStopped = true } }
        while liveThreads.wait(upTo: .seconds(1), { $0 == 0 ? true : nil }) == nil {}
        sinks.stop()
        probe.stop()
        clock.stop()
        plan.checkpointer?.stop()
    }

    /// To be called when whatever else belongs to the run has stopped as well.
    func isStopped() { endDrainPart(.stop) }
}
