/// A run from where reading begins to its end: what is done with what comes from the threads, the sinks and the archive, when
/// to cut, to compact and to write a checkpoint, and when all is done.
///
/// A synchronous state machine around `Coordinator` and `Checkpointing`. The caller takes turns: it hands over what came
/// meanwhile, with the time, performs the actions that come back in order, and says what came of them. A commit is the last
/// of the actions, and no turn is taken before its end was said. Once there is a `result` the run is over.
package struct WorkerLoop {
    package enum Action {
        /// For one group of tasks, by its number; nil: for all of them.
        case order(TaskGroupOrders.Order, group: Int?)
        /// Make the cut durable, then call `committed` or `commitFailed`.
        case commit(EpochCut)
        /// Wait for so long, then call `commitIsDue`; sooner, once `endsWait` says so of the inbox.
        case waitToCommit(Duration)
        /// Show what the groups handed in.
        case show([TaskGroupReport])
        /// Tell the source how far the durable state is.
        case tellSource([TopicPartition: Int64])
        /// Deliver the batch, then put it into the inbox. At most one a table is under way.
        case deliver(SinkBatch, mayHaveBeenSent: Bool)
        /// From now on ask the leaders of these partitions where they end.
        case probe([TopicPartition])
        case stopProbing
        /// Make a step of the store's housekeeping, then call `kept` or `keepingFailed`.
        case keepHouse
        case checkpoint(CheckpointAction)
        case tell(RunRemark)
    }

    /// What is to be done about checkpoints. When it throws, call `failed`.
    package enum CheckpointAction: Sendable, Equatable {
        /// Ask the archive, and put what it answers into the inbox.
        case claim(ChangeAtRest)
        case keepChanges(after: Epoch)
        /// Begin a copy, then call `copyBegan`. `keepingAfter`: the epoch after which changes are to be kept from now on; nil where
        /// they are.
        case beginCopy(FinishedCheckpoint.Content, keepingAfter: Epoch?)
        /// Copy for so long, then call `copied`.
        case stepCopy(Duration)
        /// Publish the copy, or the state as it is when the content is nothing, and put what comes of it into the inbox.
        case publish(FinishedCheckpoint.Content, FinishedCheckpoint.Reason)
        /// Beside everything else; what comes of it goes into the inbox.
        case rollBackAgain(RollbackPlan)
        /// Note that everything was rolled back, for good.
        case endRollback
        /// Note that the state supersedes those of before no more.
        case endSupersession
    }

    /// Between two tries of a commit that found the disk full.
    private static let commitRetry = Duration.seconds(1)
    /// How long a step of a copy may hold up the epochs, and how long they then have before the next.
    static let copyStep = Duration.milliseconds(20)
    static let copyPause = Duration.milliseconds(20)
    /// How long a step of the last copy may take: nothing is left to be held up.
    static let lastCopyStep = Duration.milliseconds(500)
    /// The least time between two steps of housekeeping.
    static let housekeepingPause = Duration.milliseconds(5)

    let settings: RunSettings
    private let groups: Int
    private let readingGroups: Int
    private let groupOf: [TaskID: Int]
    private let partitionOf: [TaskID: TopicPartition]
    /// Topics that have more partitions than the state was built with, and how many those are.
    private let grown: [String: Int]
    private let startEpoch: Epoch
    private let inDoubt: Int
    var coordinator: any RunCoordinator
    var checkpointing: Checkpointing?
    private var reports: [TaskGroupReport] = []
    private var groupsAtEnd = 0
    private var isFull = false
    private var committing: EpochCut?
    /// False after a commit, until the clock was looked at: the next cut may be wanted at once.
    private var hasSeenTheTime = true
    private var isDraining = false
    var deadline: Duration?
    private var readingError: (any Error)?
    private var isReadingDurable = false
    /// The records' bytes in memory, as the last epoch's reports say.
    private var stateBytes = 0
    private var compactedThrough = Epoch(0)
    private var nextHousekeeping: Duration?
    /// Set while housekeeping must come before the next commit.
    private var isBehind = false
    private var isAfterEpoch = false
    var claims = false
    var nextCopyStep = Duration.zero
    var rollsBackAgain = false
    var isRolledBackAgain = false
    /// Everything is delivered: what is left is the last checkpoint.
    var isFinishing = false
    var isLastBegun = false
    /// Set when the run is over.
    private var outcome: RunOutcome?

    /// `coordinator`: what the run goes by instead of the one that it is handed.
    package init(_ start: RunStart, now: Duration, coordinator: (Coordinator) -> any RunCoordinator = { $0 }) {
        settings = start.settings
        let outbox = Outbox(
            lineage: start.restored.lineage, tables: start.restored.outboxes(of: start.outboxTables), flushInterval: settings.flushInterval,
            limits: settings.outboxLimits, now: now
        )
        self.coordinator = coordinator(
            Coordinator(
                restored: start.restored, routes: TaskRoutes(start.topology, partitions: start.partitions), outbox: outbox,
                schedule: EpochSchedule(interval: settings.epochInterval, now: now), wait: start.checkpointing?.wait ?? .nothing
            ))
        checkpointing = start.checkpointing
        groups = start.groups.count
        readingGroups = start.groups.filter(\.isReading).count
        groupOf = Dictionary(
            uniqueKeysWithValues: start.groups.enumerated().flatMap { number, group in group.tasks.map { ($0.id, number) } })
        partitionOf = Dictionary(uniqueKeysWithValues: start.readers.map { ($1.id, $0) })
        grown = start.grown
        startEpoch = start.restored.epoch
        inDoubt = start.restored.outbox.reduce(0) { $0 + $1.undelivered.count }
    }

    package var epoch: Epoch { coordinator.epoch }
    package var outbox: Outbox { coordinator.outbox }
    /// The epoch up to which everything is in the archive; nil when nothing is.
    package var covered: Epoch? { checkpointing?.covered }

    /// When the next turn is to be taken at the latest; whatever comes into the inbox calls for one as well.
    package var nextTurn: Duration {
        if outcome != nil || !hasSeenTheTime { return .zero }
        var next = nextHousekeeping ?? .seconds(1 << 32)
        if let deadline { next = min(next, deadline) }
        if let checkpointing, checkpointing.copying != nil, !claims { next = min(next, nextCopyStep) }
        if !isFinishing { return min(next, coordinator.nextCut) }
        return isCheckpointUnderWay ? next : .zero
    }

    // MARK: - Turns

    /// What is to be done first.
    package mutating func begin(now: Duration) -> [Action] {
        var actions: [Action] = inDoubt > 0 ? [.tell(.inDoubt(batches: inDoubt))] : []
        if let covered = checkpointing?.covered { actions += perform(coordinator.covered(through: covered), now) }
        actions += perform(coordinator.start(), now)
        if readingGroups == 0 { actions += reachedEnd(now) }
        return actions
    }

    /// Hears what came, and then looks at the clock. `timeOfCut`: when an epoch that is cut now was read, milliseconds since
    /// 1970 UTC. Throws what ends the run.
    package mutating func turn(_ inbox: RunInbox, now: Duration, timeOfCut: @autoclosure () -> Int64) throws -> [Action] {
        precondition(committing == nil, "a commit is under way")
        if let error = inbox.error { throw error }
        var actions = try hear(inbox, now, timeOfCut)
        guard committing == nil else { return actions }
        hasSeenTheTime = true
        if isFinishing {
            actions += finish(now)
        } else if let deadline, now >= deadline {
            actions += [.tell(.deliveryIsOver)] + end(.undelivered(bytes: coordinator.waitingBytes))
        } else {
            actions += perform(coordinator.tick(now: now, isFull: isFull), now)
            actions += advanceCheckpoint(now)
            if let next = nextHousekeeping, now >= next {
                nextHousekeeping = nil
                actions.append(.keepHouse)
            }
        }
        return actions
    }

    private mutating func hear(_ inbox: RunInbox, _ now: Duration, _ timeOfCut: () -> Int64) throws -> [Action] {
        isFull = isFull || inbox.isFull
        var actions: [Action] = []
        for id in inbox.deliveries { actions += perform(coordinator.delivered(id), now) }
        actions += try hearOfCheckpoints(inbox, now)
        actions += note(readingError: inbox.readingError)
        if inbox.isDraining || readingError != nil { actions += drain(now) }
        groupsAtEnd += inbox.groupsAtEnd
        if inbox.groupsAtEnd > 0 && isReadToEnd { actions += reachedEnd(now) }
        reports += inbox.reports
        return reports.count == groups && !isBehind ? actions + cut(now, timeOfCut()) : actions
    }

    /// Every group has handed in its cut.
    private mutating func cut(_ now: Duration, _ wallClock: Int64) -> [Action] {
        let handedIn = reports
        reports = []
        isFull = false
        stateBytes = handedIn.reduce(0) { $0 + $1.stateBytes }
        let actions = perform(coordinator.tasksCut(handedIn.flatMap(\.reports), now: now, wallClock: wallClock), now)
        return [.probe(handedIn.flatMap(\.candidates)), .show(handedIn)] + actions
    }

    private var isReadToEnd: Bool { groupsAtEnd == readingGroups }

    /// Every partition of a bounded run is read to where it ended at the start.
    private mutating func reachedEnd(_ now: Duration) -> [Action] {
        if settings.readsUntilEnd { return perform(coordinator.reachedEnd(), now) }
        return settings.endsBeforeRepartition ? perform(coordinator.drain(), now) : []
    }

    private mutating func drain(_ now: Duration) -> [Action] {
        guard !isDraining else { return [] }
        isDraining = true
        isBehind = false
        deadline = deadline ?? now + settings.drainTimeout
        return [.tell(.draining)] + perform(coordinator.drain(), now)
    }

    /// What the coordinator wants, as what the caller has to do; a commit comes last.
    mutating func perform(_ wanted: [Coordinator.Action], _ now: Duration) -> [Action] {
        var actions: [Action] = []
        var commit: [Action] = []
        for action in wanted {
            switch action {
            case .requestCut(let epoch): actions.append(.order(.cut(epoch), group: nil))
            case .commit(var cut):
                if settings.endsBeforeRepartition && isReadToEnd && coordinator.hasCutEverything { cut.readBefore = grown }
                committing = cut
                commit = [.commit(cut)]
            case .deliver(let batch, let mayHaveBeenSent): actions.append(.deliver(batch, mayHaveBeenSent: mayHaveBeenSent))
            case .receive(let batches, let upstream):
                guard !upstream.isEmpty else { continue }
                for group in 0..<groups {
                    actions.append(.order(.receive(batches.filter { groupOf[$0.id.to] == group }, upstream), group: group))
                }
            case .raiseWatermarks(let watermarks, let isEnding): actions.append(.order(.raise(watermarks, isEnding: isEnding), group: nil))
            case .holdReading(let isHeld): actions += [.order(.hold(isHeld), group: nil), .tell(.holdsReading(isHeld))]
            // Nobody is idle any more, and a leader that does not answer would hold up the end.
            case .stopReading: actions += [.order(.stopReading, group: nil), .stopProbing]
            case .finished:
                isFinishing = true
                deadline = deadline ?? now + settings.drainTimeout
                actions.append(.tell(.deliveryIsOver))
            }
        }
        return actions + commit
    }

    // MARK: - Commits

    /// The commit under way is durable; `duration`: how long the try took that succeeded.
    package mutating func committed(taking duration: Duration, now: Duration) -> [Action] {
        guard let cut = committing else { preconditionFailure("nothing was to be committed") }
        committing = nil
        hasSeenTheTime = false
        var positions: [TopicPartition: Int64] = [:]
        for task in cut.tasks {
            if let position = task.position, let partition = partitionOf[task.task] { positions[partition] = position.next }
        }
        var actions: [Action] = [.tell(.committed(cut.epoch, taking: duration))]
        if !positions.isEmpty { actions.append(.tellSource(positions)) }
        if isDraining, !isReadingDurable, coordinator.hasCutEverything {
            isReadingDurable = true
            actions.append(.tell(.readingIsDurable))
        }
        actions += perform(coordinator.committed(cut, taking: duration), now)
        isAfterEpoch = true
        nextHousekeeping = nil
        return actions + [.keepHouse]
    }

    /// A full disk is waited for: meanwhile the tasks fill one more epoch and then stop reading. Throws anything else.
    package mutating func commitFailed(_ error: any Error, now: Duration) throws -> [Action] {
        guard let cut = committing, let failure = error as? any Failure, failure.kind == .retry else { throw error }
        let pause = min(WorkerLoop.commitRetry, deadline.map { max($0 - now, .zero) } ?? WorkerLoop.commitRetry)
        return [.tell(.commitWaits(cut.epoch, failure)), .waitToCommit(pause)]
    }

    /// Whether what is in the inbox ends the wait for a commit.
    package func endsWait(_ inbox: RunInbox) -> Bool {
        inbox.error != nil || (inbox.readingError != nil && readingError == nil) || (inbox.isDraining && deadline == nil)
    }

    /// The wait for a commit is over. `inbox`: as it stands; it is taken with the next turn. What was read before is what the commit
    /// has. Throws what ends the run.
    package mutating func commitIsDue(_ inbox: RunInbox, now: Duration) throws -> [Action] {
        guard let cut = committing else { preconditionFailure("nothing was to be committed") }
        if let error = inbox.error { throw error }
        let actions = note(readingError: inbox.readingError)
        if inbox.isDraining || readingError != nil { deadline = deadline ?? now + settings.drainTimeout }
        guard let deadline, now >= deadline else { return actions + [.commit(cut)] }
        return actions + [.tell(.deliveryIsOver)] + end(.undelivered(bytes: coordinator.waitingBytes))
    }

    /// The first one is what the run ends with.
    private mutating func note(readingError error: (any Error)?) -> [Action] {
        guard let error, readingError == nil else { return [] }
        readingError = error
        return [.tell(.readingFailed(error))]
    }

    // MARK: - Housekeeping

    /// A step of the housekeeping was made, and took so long.
    package mutating func kept(_ done: Housekeeping, taking duration: Duration, now: Duration) -> [Action] {
        catchUp(isBehind: done.left == .tooMuch && !isDraining)
        switch done.left {
        case .nothing: nextHousekeeping = nil
        case .tooMuch: nextHousekeeping = isDraining ? nil : now + WorkerLoop.housekeepingPause
        // As long as it took, writing to the disk included, those who read evicted records have after it.
        case .some: nextHousekeeping = now + max(duration, WorkerLoop.housekeepingPause)
        }
        guard isAfterEpoch || done.compactedThrough > compactedThrough else { return [] }
        isAfterEpoch = false
        compactedThrough = done.compactedThrough
        guard compactedThrough >= startEpoch else { return [] }
        let excess = max(0, stateBytes - settings.memoryBudget)
        let cuts = UInt32(truncatingIfNeeded: compactedThrough.number - startEpoch.number)
        return [.order(.release(compactedThrough: cuts, bytes: excess / groups), group: nil)]
    }

    /// A disk that is full costs a step, not the run.
    package mutating func keepingFailed(_ error: any Error) throws -> [Action] {
        guard let failure = error as? any Failure, failure.kind == .retry else { throw error }
        catchUp(isBehind: false)
        nextHousekeeping = nil
        return [.tell(.housekeepingWaits(failure))]
    }

    /// A cut that waited for the housekeeping is committed with the next turn, which is taken at once.
    private mutating func catchUp(isBehind: Bool) {
        if self.isBehind && !isBehind { hasSeenTheTime = false }
        self.isBehind = isBehind
    }

    // MARK: - The end

    mutating func end(_ outcome: RunOutcome) -> [Action] {
        self.outcome = outcome
        return [.tell(.ended)]
    }

    /// How the run ended; nil while it goes on. Throws when it ended before what it is for.
    package func result() throws -> RunOutcome? {
        guard let outcome else { return nil }
        if let readingError { throw readingError }
        guard settings.endsBeforeRepartition, outcome == .complete else { return outcome }
        guard isReadToEnd else { throw StartRefusal.endedUnread(topics: grown.keys.sorted()) }
        guard checkpointing == nil || checkpointing?.covered == coordinator.epoch else { throw StartRefusal.lastCheckpointMissing }
        return outcome
    }
}
