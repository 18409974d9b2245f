import Engine
import Simulation

/// A store that passes everything on; broken ones override what they break.
///
/// `@unchecked Sendable`: a simulation has one thread.
class PassingStore: StateStore, @unchecked Sendable {
    let inner: SimulatedStore
    init(_ inner: SimulatedStore) { self.inner = inner }

    func open(_ topology: Topology) throws -> RestoredState { try inner.open(topology) }
    func register(partitions: [String: Int]) throws { inner.register(partitions: partitions) }
    func restore(_ task: any StreamTask, memoryBudget: Int) throws { try inner.restore(task, memoryBudget: memoryBudget) }
    func commit(_ cut: EpochCut) throws { try inner.commit(cut) }
    func maintain(for time: Duration) throws -> Housekeeping { try inner.maintain(for: time) }
    func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) throws {
        inner.read(task: task, table: table, key: key, body)
    }
    func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) throws {
        inner.scan(task: task, table: table, prefix: prefix, body)
    }
}

/// Says that a commit is durable one commit too early: a crash loses the last one.
final class LosingStore: PassingStore, @unchecked Sendable {  // One thread, as its superclass.
    private var held: EpochCut?

    override func commit(_ cut: EpochCut) throws {
        if let held { try inner.commit(held) }
        held = cut
    }
}

/// Leaves parts of a cut out, as a store without transactions does when it dies in between.
final class TearingStore: PassingStore, @unchecked Sendable {  // One thread, as its superclass.
    enum Part: CaseIterable { case deltas, positions, messages, rows }
    private let part: Part

    init(_ inner: SimulatedStore, without part: Part) {
        self.part = part
        super.init(inner)
    }

    override func commit(_ cut: EpochCut) throws {
        guard cut.epoch.number % 5 == 0 else { return try inner.commit(cut) }
        let torn = cut.tasks.map { whole in
            TaskCut(
                task: whole.task, watermark: whole.watermark, isEnded: whole.isEnded, position: part == .positions ? nil : whole.position,
                deltas: part == .deltas ? [] : whole.deltas, rows: part == .rows ? [] : whole.rows,
                sent: part == .messages ? [] : whole.sent, received: whole.received
            )
        }
        try inner.commit(EpochCut(epoch: cut.epoch, tasks: torn, frozen: cut.frozen, delivered: cut.delivered, wallClock: cut.wallClock))
    }
}

/// Draws another key with each start, so that what is remembered is never met again.
final class KeylessStore: PassingStore, @unchecked Sendable {  // One thread, as its superclass.
    override func open(_ topology: Topology) throws -> RestoredState {
        let found = try inner.open(topology)
        return RestoredState(
            isNew: found.isNew, lineage: found.lineage, identity: found.identity, hashKey: HashKey(first: found.epoch.number, second: 9),
            epoch: found.epoch,
            partitions: found.partitions, tasks: found.tasks, messages: found.messages, outbox: found.outbox, rollback: found.rollback,
            lineageEnds: found.lineageEnds
        )
    }
}

/// Says that everything is compacted, so that records leave memory which the keyed rows don't have yet.
final class HastyStore: PassingStore, @unchecked Sendable {  // One thread, as its superclass.
    private var last = Epoch(0)

    override func commit(_ cut: EpochCut) throws {
        try inner.commit(cut)
        last = cut.epoch
    }

    override func maintain(for time: Duration) throws -> Housekeeping {
        _ = try inner.maintain(for: time)
        return Housekeeping(compactedThrough: last, left: .nothing)
    }
}

/// Delivery rules with one of them broken.
struct BrokenRules: DeliveryRules {
    enum Break: CaseIterable {
        case trustsAnUnknownAnswer, trustsAnError, resendsWithoutCounting, countsWithoutWaiting, trustsAnEarlierProcess
    }

    private var rules: BatchDelivery
    private let broken: Break

    init(_ rules: BatchDelivery, _ broken: Break) {
        self.rules = rules
        self.broken = broken
        if broken == .trustsAnEarlierProcess && rules.step == .awaitQuiet {
            self.rules.becameQuiet()
            self.rules.counted(0)
        }
        skipWaiting()
    }

    var step: BatchDelivery.Step { rules.step }

    mutating func sent(_ result: BatchDelivery.SendResult) {
        switch (broken, result) {
        case (.trustsAnUnknownAnswer, .unknown), (.trustsAnError, .answeredWithError): rules = BrokenRules.delivered
        default: rules.sent(result)
        }
        if broken == .resendsWithoutCounting && rules.step == .awaitQuiet {
            rules.becameQuiet()
            rules.counted(0)
        }
        skipWaiting()
    }

    mutating func becameQuiet() { rules.becameQuiet() }

    mutating func counted(_ rows: Int) {
        rules.counted(rows)
        skipWaiting()
    }

    private mutating func skipWaiting() {
        if broken == .countsWithoutWaiting && rules.step == .awaitQuiet { rules.becameQuiet() }
    }

    private static var delivered: BatchDelivery {
        var rules = BatchDelivery(rowCount: 1, mayHaveBeenSent: false)
        rules.sent(.acknowledged)
        return rules
    }
}

/// A coordinator with one promise broken.
struct BrokenCoordinator: RunCoordinator {
    enum Break: CaseIterable {
        case deliversBeforeTheCommit, forgetsRestoredMessages, forgetsThatBatchesMayHaveBeenSent, handsMessagesOutTwice
        /// Takes every epoch for covered by a checkpoint; only in a world with some.
        case deliversBeforeTheCheckpoint

        static let withoutCheckpoints = allCases.filter { $0 != .deliversBeforeTheCheckpoint }
    }

    private var coordinator: Coordinator
    private let broken: Break
    /// Delivered too early: the coordinator does not know of it.
    private var early: Set<SinkBatchID> = []

    init(_ coordinator: Coordinator, _ broken: Break) {
        self.coordinator = coordinator
        self.broken = broken
    }

    var nextCut: Duration { coordinator.nextCut }
    var epoch: Epoch { coordinator.epoch }
    var awaitsCheckpoint: Bool { coordinator.awaitsCheckpoint }
    var outbox: Outbox { coordinator.outbox }
    var waitingBytes: Int { coordinator.waitingBytes }
    var hasCutEverything: Bool { coordinator.hasCutEverything }

    mutating func start() -> [Coordinator.Action] {
        coordinator.start().map { action in
            switch action {
            case .receive(_, let upstream) where broken == .forgetsRestoredMessages: .receive([], upstream: upstream)
            case .deliver(let batch, _) where broken == .forgetsThatBatchesMayHaveBeenSent: .deliver(batch, mayHaveBeenSent: false)
            default: action
            }
        }
    }

    mutating func tasksCut(_ cut: [Coordinator.TaskReport], now: Duration, wallClock: Int64) -> [Coordinator.Action] {
        let actions = coordinator.tasksCut(cut, now: now, wallClock: wallClock)
        guard broken == .deliversBeforeTheCommit else { return actions }
        return actions.flatMap { action -> [Coordinator.Action] in
            guard case .commit(let cut) = action, let batch = cut.frozen.first else { return [action] }
            early.insert(batch.id)
            return [.deliver(batch, mayHaveBeenSent: false), action]
        }
    }

    mutating func committed(_ cut: EpochCut, taking duration: Duration) -> [Coordinator.Action] {
        let actions = coordinator.committed(cut, taking: duration)
        if broken == .deliversBeforeTheCheckpoint { return actions + coordinator.covered(through: cut.epoch) }
        guard broken == .handsMessagesOutTwice, cut.epoch.number % 5 == 0 else { return actions }
        return actions.flatMap { action -> [Coordinator.Action] in
            if case .receive = action { return [action, action] }
            return [action]
        }
    }

    mutating func tick(now: Duration, isFull: Bool) -> [Coordinator.Action] { coordinator.tick(now: now, isFull: isFull) }
    mutating func delivered(_ id: SinkBatchID) -> [Coordinator.Action] { early.remove(id) == nil ? coordinator.delivered(id) : [] }
    mutating func covered(through epoch: Epoch) -> [Coordinator.Action] { coordinator.covered(through: epoch) }
    mutating func reachedEnd() -> [Coordinator.Action] { coordinator.reachedEnd() }
    mutating func drain() -> [Coordinator.Action] { coordinator.drain() }
}
