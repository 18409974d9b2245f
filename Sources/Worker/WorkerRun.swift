import Engine
import Foundation
import Logging

/// A run under way: the thread that takes the loop's turns, and also commits, and what the loop wants done.
final class WorkerRun {
    private let worker: Worker
    private let start: RunStart
    private let references: ReadWriteLock?
    private let clock: ClockWatch
    private var loop: WorkerLoop
    private var threads: [TaskThread] = []
    private let liveThreads = Monitor(0)
    private let sinks: SinkThreads
    private let probe: LeaderProbe
    /// nil for a run that ends by itself.
    private let topics: TopicWatch?
    private let checkpointer: Checkpointer?
    /// Since when the present part of the drain goes on; nil before a drain.
    private var drainPartBegan: Duration?
    /// When reading began; nil before that, and once the log has what the start took.
    private var readingBegan: Duration?
    /// When the first records were processed.
    private let firstRecord = Monitor<Duration?>(nil)
    private var isHeldByDeliveries = false

    /// For how long the first record is waited for before the log has what the start took without it.
    private static let firstRecordLimit = Duration.seconds(10)
    /// How long a step of compacting goes on before it is committed.
    private static let housekeepingTime = Duration.milliseconds(10)

    init(_ worker: Worker, _ start: RunStart, _ surroundings: WorkerSurroundings) throws {
        self.worker = worker
        self.start = start
        references = surroundings.references?.lock
        clock = surroundings.clock
        loop = WorkerLoop(start, now: Clock.now)
        let events = Events(inbox: worker.inbox, firstRecord: firstRecord)
        for group in start.groups {
            let reader = group.isReading ? try worker.timed(.topics) { try worker.source.makeReader(of: group.partitions) } : nil
            threads.append(TaskThread(group, reader: reader, references: references, clock: clock, events: events))
        }
        // It has threads from here on, which somebody has to stop: nothing may fail after it.
        checkpointer = try Checkpointer(worker, start)
        let sinkOf = start.outboxTables.map { ($0.name, worker.sink($0.sink)) }
        sinks = SinkThreads(Dictionary(uniqueKeysWithValues: sinkOf), ownership: checkpointer?.ownership) {
            [inbox = worker.inbox] id, result in
            inbox.update { inbox in
                switch result {
                case .success(.delivered): inbox.deliveries.append(id)
                case .success(.cancelled): break
                case .failure(let error): inbox.error = inbox.error ?? error
                }
            }
        }
        let mails = threads.map(\.mail)
        probe = LeaderProbe(
            worker.source, interval: start.settings.idleAfter / 4,
            answered: { ends, time in
                for mail in mails { mail.update { $0.orders.leadersAnswered(ends, at: time) } }
            },
            told: { [worker] waits in worker.publish { $0.transactionWaits = waits } })
        let read = Dictionary(grouping: start.readers.keys, by: \.topic).mapValues(\.count)
        topics =
            start.settings.isBounded
            ? nil
            : TopicWatch(worker.source, known: read, interval: worker.settings.topicInterval) { [inbox = worker.inbox] refusal in
                inbox.update { $0.readingError = $0.readingError ?? refusal }
            }
    }

    /// `@unchecked Sendable`: the members are monitors.
    private final class Events: ThreadEvents, @unchecked Sendable {
        private let inbox: Monitor<RunInbox>
        private let first: Monitor<Duration?>

        init(inbox: Monitor<RunInbox>, firstRecord: Monitor<Duration?>) {
            self.inbox = inbox
            first = firstRecord
        }

        func handedIn(_ report: TaskGroupReport) { inbox.update { $0.reports.append(report) } }
        func reachedEnd() { inbox.update { $0.groupsAtEnd += 1 } }
        func isFull() { inbox.update { $0.isFull = true } }
        func firstRecord(at time: Duration) { first.update { $0 = min($0 ?? time, time) } }
        func readingFailed(_ error: any Error) { inbox.update { $0.readingError = $0.readingError ?? error } }
        func failed(_ error: any Error) { inbox.update { $0.error = $0.error ?? error } }
    }

    // MARK: - Turns

    func run() throws -> RunOutcome {
        publishStart()
        sinks.start()
        probe.start()
        topics?.start()
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
        checkpointer?.start()
        try perform(loop.begin(now: Clock.now))
        var inbox = RunInbox()
        while true {
            try perform(try loop.turn(inbox, now: Clock.now, timeOfCut: clock.timeOfCut))
            if let outcome = try loop.result() { return outcome }
            tellStart()
            tellClock()
            inbox = worker.inbox.wait(upTo: max(loop.nextTurn - Clock.now, .milliseconds(1))) { $0.isEmpty ? nil : $0.take() } ?? RunInbox()
        }
    }

    /// One after the other, each followed by what the loop answers: a commit may be tried for as long as a disk is full.
    private func perform(_ actions: [WorkerLoop.Action]) throws {
        var left = Array(actions.reversed())
        while let action = left.popLast() { left += try perform(action).reversed() }
    }

    private func perform(_ action: WorkerLoop.Action) throws -> [WorkerLoop.Action] {
        switch action {
        case .order(let order, let group):
            for (number, thread) in threads.enumerated() where group == nil || group == number {
                thread.mail.update { $0.orders.add(order) }
            }
        case .commit(let cut): return try commit(cut)
        case .waitToCommit(let pause):
            _ = worker.inbox.wait(upTo: pause) { [loop] in loop.endsWait($0) ? true : nil }
            return try loop.commitIsDue(worker.inbox.look { $0 }, now: Clock.now)
        case .show(let reports): show(reports)
        case .tellSource(let positions): worker.source.report(positions)
        case .deliver(let batch, let mayHaveBeenSent): sinks.deliver(batch, mayHaveBeenSent: mayHaveBeenSent)
        case .probe(let partitions): probe.look(at: Set(partitions))
        case .stopProbing: probe.end()
        case .keepHouse: return try keepHouse()
        case .checkpoint(let action): return try perform(action)
        case .tell(let remark): tell(remark)
        }
        return []
    }

    private func commit(_ cut: EpochCut) throws -> [WorkerLoop.Action] {
        let started = Clock.now
        do {
            try worker.store.commit(cut)
        } catch {
            return try loop.commitFailed(error, now: Clock.now)
        }
        let now = Clock.now
        return loop.committed(taking: now - started, now: now)
    }

    private func keepHouse() throws -> [WorkerLoop.Action] {
        let started = Clock.now
        do {
            let done = try worker.store.maintain(for: WorkerRun.housekeepingTime)
            let now = Clock.now
            return loop.kept(done, taking: now - started, now: now)
        } catch {
            return try loop.keepingFailed(error)
        }
    }

    private func perform(_ action: WorkerLoop.CheckpointAction) throws -> [WorkerLoop.Action] {
        guard let checkpointer else { throw WorkerError(.bug, "this worker has no checkpoint store") }
        do {
            return try checkpointer.perform(action, &loop)
        } catch {
            return try loop.failed(action, error, now: Clock.now)
        }
    }

    /// Ends every thread of the run.
    func stop() {
        worker.isStopping.update { $0 = true }
        for thread in threads { thread.mail.update { $0.isStopped = true } }
        while liveThreads.wait(upTo: .seconds(1), { $0 == 0 ? true : nil }) == nil {}
        sinks.stop()
        topics?.end()
        probe.stop()
        clock.stop()
        checkpointer?.stop()
    }

    /// To be called when whatever else belongs to the run has stopped as well.
    func isStopped() { endDrainPart(.stop) }

    // MARK: - The log and the page

    private func tell(_ remark: RunRemark) {
        let logger = worker.logger
        switch remark {
        case .inDoubt(let batches): logger.notice("\(batches) batches of an earlier start may have been sent: resolving them first")
        case .holdsReading(let isHeld):
            isHeldByDeliveries = isHeld
            worker.publish { $0.isReadingHeld = isHeld || $0.clockDoubt != nil }
            logger.notice(isHeld ? "reading is held back: too much is undelivered" : "reading goes on")
        case .commitWaits(let epoch, let error):
            logger.error("epoch \(epoch) waits: \(error)")
            worker.publish { $0.problem = error.description }
        case .committed(let epoch, let duration):
            worker.publish {
                $0.problem = nil
                $0.lastCommit = duration
                $0.epoch = epoch
            }
        case .housekeepingWaits(let error): logger.error("housekeeping waits: \(error)")
        case .readingFailed(let error):
            logger.error("the run ends when what was read before is delivered: \(error)")
            worker.publish { $0.problem = "\(error)" }
        case .draining:
            drainPartBegan = Clock.now
            logger.info("draining: no more records are read")
            worker.publish { $0.phase = .draining }
        case .readingIsDurable: endDrainPart(.reading)
        case .deliveryIsOver: endDrainPart(.delivery)
        case .ended:
            endDrainPart(.checkpoint)
            worker.publish { $0.phase = .finished }
        case .checkpointed(let published): worker.tell(published)
        case .checkpointFailed(let error):
            logger.error("checkpoints: none could be written, it is tried again: \(error)")
            worker.publish { $0.checkpoint.problem = error.description }
        case .lastCheckpointIsMissing: logger.warning("checkpoints: drain.timeout left no time for the last one")
        case .notNoted(let action, let error): worker.tellNotNoted(action, error)
        }
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
        worker.publish {
            $0.clockDoubt = doubt?.description
            $0.isReadingHeld = isHeldByDeliveries || doubt != nil
        }
    }

    /// Once, as soon as there is a record, or when none has come in a while.
    private func tellStart() {
        guard let began = readingBegan else { return }
        let first = firstRecord.look { $0 }
        guard first != nil || Clock.now - began >= WorkerRun.firstRecordLimit else { return }
        readingBegan = nil
        worker.tellStart(from: start.restored.isNew ? nil : start.restored.epoch, record: first.map { $0 - began })
    }

    /// What is known before the first epoch, so that what is read next and what waits is shown though no record comes.
    private func publishStart() {
        let partitions = Dictionary(uniqueKeysWithValues: start.readers.map { ($1.id, $0) })
        worker.publish { status in
            status.phase = .running
            status.lineage = start.restored.lineage
            status.epoch = start.restored.epoch
            status.tasks = start.tasks.map { task in
                let begun = partitions[task.id].flatMap { start.starts[$0] }.map { SourcePosition(next: $0, last: nil) }
                return WorkerStatus.Task(
                    id: task.id, watermark: task.watermark, position: start.restored.tasks[task.id]?.position ?? begun, isIdle: false,
                    counters: TaskCounters()
                )
            }.sorted { $0.id < $1.id }
            status.outbox = loop.outbox.depths
            status.outboxBytes = loop.outbox.bytes
        }
    }

    private func show(_ reports: [TaskGroupReport]) {
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
            status.outbox = loop.outbox.depths
            status.outboxBytes = loop.outbox.bytes
        }
    }
}
