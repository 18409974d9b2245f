/// The worker's common epoch: when to cut, what goes into the transaction, what leaves after it, and when all is done.
///
/// A synchronous state machine. The caller feeds it what happened, with the time, and performs the actions that come
/// back, in order. At most one cut is under way: requested, then handed in by all tasks, then committing; meanwhile the
/// tasks go on with the next epoch.
package struct Coordinator {
    package enum Action {
        /// Let every task cut this epoch, then call `tasksCut`.
        case requestCut(Epoch)
        /// Make the cut durable, trying again while that may help, then call `committed`.
        case commit(EpochCut)
        /// Deliver the batch, then call `delivered`. At most one a table is under way.
        case deliver(SinkBatch, mayHaveBeenSent: Bool)
        /// Let the receiving tasks process these batches, in order, and then take note of the watermarks.
        case receive([MessageBatch], upstream: UpstreamProgress)
        /// Raise the watermarks of these tasks; those that got a record meanwhile are left alone unless the run ends.
        case raiseWatermarks([TaskID: EventTime], isEnding: Bool)
        /// Whether reading is to be held back.
        case holdReading(Bool)
        /// No record may be read any more.
        case stopReading
        /// Everything that can be done is durable, and delivered unless the drain ran out of time.
        case finished
    }

    /// What a task says at a cut.
    package struct TaskReport: Sendable {
        package let cut: TaskCut
        package let lastOpenWindowEnd: EventTime?
        package let isIdle: Bool

        package init(cut: TaskCut, lastOpenWindowEnd: EventTime?, isIdle: Bool) {
            self.cut = cut
            self.lastOpenWindowEnd = lastOpenWindowEnd
            self.isIdle = isIdle
        }
    }

    private enum Phase: Equatable {
        case running
        /// Every partition is read to its end: close all windows.
        case closing
        /// Freeze and deliver what is left.
        case flushing
        case finished
    }

    private enum CutState: Equatable { case none, requested, committing }

    /// Bytes between tasks above which reading is held back.
    package static let messageLimit = 64 << 20

    package private(set) var epoch: Epoch
    package private(set) var outbox: Outbox
    private var schedule: EpochSchedule
    private let routes: TaskRoutes
    private var phase = Phase.running
    private var cutState = CutState.none
    /// Set when the next cut must come at once.
    private var wantsCut = false
    /// The last epoch that may have been cut before all records were read; later ones hold everything that was read.
    private var lastEpochOfReading = Epoch(0)
    private var isHolding = false
    private var reports: [TaskID: TaskReport] = [:]
    private var watermarks: [TaskID: EventTime]
    /// Tasks whose watermarks were raised last because a run ended, this one or an earlier one.
    private var ended: Set<TaskID>
    /// Batches between tasks that are durable and not processed durably.
    private var inFlight: [MessageBatchID: Int] = [:]
    private var restoredMessages: [MessageBatch]
    private var delivering: Set<String> = []
    /// Batches of an earlier process: they may have been sent.
    private var inDoubt: Set<SinkBatchID>
    private var wait: CheckpointWait
    /// Where every batch waits for its epoch's checkpoint: the epoch that each was frozen in, until it is covered.
    private var uncovered: [SinkBatchID: Epoch] = [:]
    private let startEpoch: Epoch

    /// `wait`: what has to wait for `covered`.
    package init(restored: RestoredState, routes: TaskRoutes, outbox: Outbox, schedule: EpochSchedule, wait: CheckpointWait = .nothing) {
        epoch = restored.epoch
        self.routes = routes
        self.outbox = outbox
        self.schedule = schedule
        watermarks = restored.tasks.mapValues(\.watermark)
        ended = Set(restored.tasks.filter(\.value.isEnded).keys)
        restoredMessages = restored.messages
        for batch in restored.messages { inFlight[batch.id] = batch.bytes.count }
        inDoubt = Set(restored.outbox.flatMap { $0.undelivered.map(\.id) })
        self.wait = wait
        startEpoch = restored.epoch
        if wait == .everything { uncovered = Dictionary(uniqueKeysWithValues: inDoubt.map { ($0, restored.epoch) }) }
    }

    package var isFinished: Bool { phase == .finished }
    package var isFlushing: Bool { phase == .flushing }
    /// True when the present epoch, and so its cut, has everything that was read before reading ended for good.
    package var hasCutEverything: Bool { phase == .flushing && epoch > lastEpochOfReading }
    /// The time of the next regular cut.
    package var nextCut: Duration { schedule.nextCut }

    // MARK: - Inputs

    /// Sends out what an earlier process left: batches between tasks, and sink batches to resolve.
    package mutating func start() -> [Action] {
        defer { restoredMessages = [] }
        return [.receive(restoredMessages, upstream: upstream)] + deliveries() + holding()
    }

    /// Looks at the clock. `isFull`: some tasks have reached the limits of an epoch and wait for the cut.
    package mutating func tick(now: Duration, isFull: Bool) -> [Action] {
        guard cutState == .none, phase != .finished else { return [] }
        guard wantsCut || schedule.isDue(now: now, isFull: isFull) else { return [] }
        wantsCut = false
        cutState = .requested
        schedule.cut(now: now)
        return [.requestCut(epoch.next)]
    }

    /// Every task has handed in its cut.
    package mutating func tasksCut(_ cut: [TaskReport], now: Duration, wallClock: Int64) -> [Action] {
        precondition(cutState == .requested, "nobody asked for a cut")
        cutState = .committing
        epoch = epoch.next
        for report in cut { reports[report.cut.task] = report }
        let tasks = cut.map { $0.cut.copyingRows(to: routes.additionalSinks) }
        for task in tasks { outbox.add(task.rows) }
        let frozen = outbox.freeze(now: now, everything: phase == .flushing)
        let cut = EpochCut(epoch: epoch, tasks: tasks, frozen: frozen, delivered: outbox.takeDelivered(), wallClock: wallClock)
        return [.commit(cut)] + holding()
    }

    /// The cut is durable.
    package mutating func committed(_ cut: EpochCut, taking duration: Duration) -> [Action] {
        precondition(cutState == .committing && cut.epoch == epoch, "epoch \(cut.epoch) was not being committed")
        cutState = .none
        schedule.committed(taking: duration)
        outbox.committed()
        if wait == .everything {
            for batch in cut.frozen { uncovered[batch.id] = cut.epoch }
        }
        var sent: [MessageBatch] = []
        for task in cut.tasks {
            note(task)
            for id in task.received { inFlight[id] = nil }
            for batch in task.sent { inFlight[batch.id] = batch.bytes.count }
            sent += task.sent
        }
        var actions: [Action] = deliveries()
        if !routes.senders.isEmpty { actions.append(.receive(sent, upstream: upstream)) }
        switch phase {
        case .running: actions += raiseIdle()
        case .closing where epoch > lastEpochOfReading: actions += closeWindows()
        case .flushing where epoch > lastEpochOfReading: actions += finishIfDelivered()
        case .closing, .flushing, .finished: break
        }
        return actions + holding()
    }

    /// A batch was delivered.
    package mutating func delivered(_ id: SinkBatchID) -> [Action] {
        delivering.remove(id.table)
        inDoubt.remove(id)
        outbox.delivered(id)
        // Its rows leave the state file with the next cut; a run that ends waits for just that.
        if phase == .flushing { wantsCut = true }
        return deliveries() + holding()
    }

    /// A checkpoint holds everything up to and including this epoch.
    package mutating func covered(through epoch: Epoch) -> [Action] {
        uncovered = uncovered.filter { $0.value > epoch }
        // One of the epoch at the start may be of the run before, which did not know the tables.
        if case .tables = wait, epoch > startEpoch { wait = .nothing }
        return deliveries() + holding()
    }

    /// Bytes of rows that are not delivered and of messages that are not processed.
    package var waitingBytes: Int { outbox.bytes + inFlight.values.reduce(0, +) }

    /// True when batches wait for a checkpoint.
    package var awaitsCheckpoint: Bool {
        switch wait {
        case .nothing: false
        case .everything: !uncovered.isEmpty
        case .tables(let tables): tables.contains { outbox.next(for: $0) != nil }
        }
    }

    private func isAwaiting(_ batch: SinkBatch) -> Bool {
        switch wait {
        case .nothing: false
        case .everything: uncovered[batch.id] != nil
        case .tables(let tables): tables.contains(batch.table)
        }
    }

    /// Every partition of a bounded run is read to its end.
    package mutating func reachedEnd() -> [Action] {
        guard phase == .running else { return [] }
        phase = .closing
        return stopReading()
    }

    /// Stop reading, make durable what was read, deliver it.
    package mutating func drain() -> [Action] {
        guard phase == .running || phase == .closing else { return [] }
        phase = .flushing
        return stopReading()
    }

    /// A cut that is under way now says nothing about the end: tasks may have handed theirs in and read on.
    private mutating func stopReading() -> [Action] {
        lastEpochOfReading = cutState == .requested ? epoch.next : epoch
        wantsCut = true
        return [.stopReading]
    }

    // MARK: - Decisions

    private mutating func deliveries() -> [Action] {
        var actions: [Action] = []
        for table in outbox.names where !delivering.contains(table) {
            guard let batch = outbox.next(for: table), !isAwaiting(batch) else { continue }
            delivering.insert(table)
            actions.append(.deliver(batch, mayHaveBeenSent: inDoubt.contains(batch.id)))
        }
        return actions
    }

    private mutating func holding() -> [Action] {
        let shouldHold = outbox.shouldHoldReading(isHolding: isHolding) || inFlight.values.reduce(0, +) > Coordinator.messageLimit
        guard shouldHold != isHolding else { return [] }
        isHolding = shouldHold
        return [.holdReading(shouldHold)]
    }

    private func raiseIdle() -> [Action] {
        var raised: [TaskID: EventTime] = [:]
        for group in routes.topicGroups {
            let known = group.tasks.compactMap { reports[$0] }
            guard known.count == group.tasks.count else { continue }
            let tasks = known.map {
                IdleWatermarks.Member(watermark: $0.cut.watermark, lastOpenWindowEnd: $0.lastOpenWindowEnd, isIdle: $0.isIdle)
            }
            guard let target = IdleWatermarks.target(tasks, lastWindowEndBehind: lastOpenWindowEnd(of: group.behind)) else { continue }
            for report in known where report.isIdle && report.cut.watermark < target { raised[report.cut.task] = target }
        }
        return raised.isEmpty ? [] : [.raiseWatermarks(raised, isEnding: false)]
    }

    /// The end of a bounded run: all partitions count as idle, so their watermarks rise to the end of the last window
    /// open in any task of the topic or of the stages behind it. Those close theirs when the watermark comes to them the
    /// usual way, after everything that was sent before it: so nothing is ever late for them, and what later runs read
    /// for the same windows is late where it is read.
    private mutating func closeWindows() -> [Action] {
        wantsCut = true
        guard inFlight.isEmpty, isUpstreamHeard else { return [] }
        var raised: [TaskID: EventTime] = [:]
        for group in routes.topicGroups {
            guard let target = lastOpenWindowEnd(of: group.tasks + group.behind) else { continue }
            for task in group.tasks where (watermarks[task] ?? .distantPast) < target { raised[task] = target }
        }
        guard raised.isEmpty else { return [.raiseWatermarks(raised, isEnding: true)] }
        phase = .flushing
        return []
    }

    /// True when every stage that reads messages has come as far as those that send to it.
    private var isUpstreamHeard: Bool {
        let reached = routes.upstreamWatermarks(watermarks)
        return reports.keys.allSatisfy { task in reached[task.stage].map { watermarks[task] ?? .distantPast >= $0 } ?? true }
    }

    private func lastOpenWindowEnd(of tasks: [TaskID]) -> EventTime? { tasks.compactMap { reports[$0]?.lastOpenWindowEnd }.max() }

    private mutating func note(_ cut: TaskCut) {
        guard watermarks.updateValue(cut.watermark, forKey: cut.task) != cut.watermark else { return }
        if cut.isEnded { ended.insert(cut.task) } else { ended.remove(cut.task) }
    }

    private var upstream: UpstreamProgress {
        UpstreamProgress(watermarks: routes.upstreamWatermarks(watermarks), ended: routes.stages(behind: ended, watermarks))
    }

    /// Batches between tasks are waited for as well, so that nothing of this version of the job is left for another one to read.
    private mutating func finishIfDelivered() -> [Action] {
        if !inFlight.isEmpty { wantsCut = true }
        guard outbox.isEmpty, delivering.isEmpty, inFlight.isEmpty else { return [] }
        phase = .finished
        return [.finished]
    }
}
