import Engine

/// What a start meets in a simulation: a machine's disk, the sink, and, in a world with checkpoints, the archive. All of it
/// blocks there.
final class SimulatedSurroundings {
    let parts: SimulationParts
    let topology: Topology
    let machine: SimulatedMachine
    /// nil in a world without checkpoints.
    let world: CheckpointWorld?
    /// nil in a world without checkpoints: there nothing takes time.
    let process: SimulatedProcess?
    /// The operator says that the worker before is gone.
    private let takesOver: Bool
    /// True when the process is not to die by itself.
    private let isCalm: Bool
    private let isBounded: Bool
    private var random: SeededRandom
    private var isClaimed = false
    /// The state lacks changes that a delta would need, and no base was made since.
    private(set) var owesBase = false
    private var hasPublishedFirst = false
    /// The start can't go on without an answer to its claim, and has none.
    private var isUnanswered = false
    /// The tables that a sink has held against the state.
    private(set) var openedTables: Set<String> = []
    /// What tasks and commits see; a broken one where a test puts it.
    private(set) var store: (any StateStore)!
    private(set) var simulated: SimulatedStore!
    private(set) var archive: (any CheckpointArchive)?

    init(
        _ parts: SimulationParts, _ topology: Topology, _ machine: SimulatedMachine, world: CheckpointWorld? = nil,
        process: SimulatedProcess? = nil,
        takesOver: Bool = false, isCalm: Bool, isBounded: Bool, random: SeededRandom
    ) {
        self.parts = parts
        self.topology = topology
        self.machine = machine
        self.world = world
        self.process = process
        self.takesOver = takesOver
        self.isCalm = isCalm
        self.isBounded = isBounded
        self.random = random
    }

    /// The start as it is shipped.
    func start() throws -> RunStart {
        if world != nil { try StateRestore(.newest, irrevocable: nil).run(in: self) }
        var checkpoints: CheckpointRules?
        if let world, let process {
            let archive = parts.implementations.archive(try world.checkpoints.makeArchive(on: machine.number, by: process))
            self.archive = archive
            checkpoints = CheckpointRules()
            checkpoints?.durability = world.plan.durability
            checkpoints?.interval = world.plan.interval
        }
        switch try Startup(topology, settings(), checkpoints: checkpoints, in: self).run() {
        case .begun(let start):
            if isUnanswered { parts.violate("nobody said whose the job is, and the start, which can't do without, went on") }
            if hasPublishedFirst, simulated.disk.supersedes {
                parts.violate("a checkpoint that supersedes those of before is in the store, and the next start would make another")
            }
            return start
        case .stopped: throw SimulatedFailure(.bug, "nobody told the start to end")
        }
    }

    private func settings() -> RunSettings {
        let plan = parts.plan
        var settings = RunSettings()
        settings.threads = plan.threads
        settings.epochInterval = plan.epochInterval
        settings.epochRecords = plan.epochRecords * plan.threads
        settings.flushInterval = plan.flushInterval
        settings.outboxLimits = plan.outboxLimits
        settings.idleAfter = plan.idleAfter
        settings.drainTimeout = plan.drainTimeout
        settings.memoryBudget = random.percent(50) ? random.number(in: 0...4_000) : .max
        settings.readsUntilEnd = isBounded
        return settings
    }
}

extension SimulatedSurroundings: RestorationSurroundings {
    func isWithoutState() throws -> Bool {
        guard machine.hasState else { return true }
        guard let world, let process, machine.disk.epoch == Epoch(0), try world.checkpoints.isOfOthers(machine.number, by: process) else {
            return false
        }
        parts.count("states that a refused start left")
        return true
    }

    func choose(except unusable: Set<UInt64>) throws -> RestorableCheckpoint? {
        guard let world, let process else { return nil }
        return try world.checkpoints.choose(
            on: machine.number, takesOver: takesOver, durability: world.plan.durability, interval: world.plan.interval, except: unusable,
            by: process
        )
    }

    func restore(_ checkpoint: RestorableCheckpoint) throws {
        guard let world, let process else { return }
        let found = parts.implementations.restoration(try world.checkpoints.fetch(checkpoint, on: machine.number, by: process))
        guard let disk = world.copies.assemble(found.names) else { throw SimulatedFailure(.bug, "\(found.names) are no copies") }
        if let lineage = found.lineage { disk.begin(lineage, tables: found.tables) }
        parts.trace.note("machine \(machine.number) is restored: epoch \(disk.epoch)\(found.lineage.map { ", lineage \($0)" } ?? "")")
        parts.count(found.lineage == nil ? "restores that go on" : "restores in a new lineage")
        if disk.finals < world.finals && world.plan.objectFaults.damagedRead == 0 {
            parts.violate("the newest checkpoint lets in a version of the job that the state of a worker before kept out when it began")
        }
        parts.disks.append(disk)
        machine.disk = disk
        machine.hasState = true
        try process.pause(.milliseconds(1))
    }

    func tell(_ remark: StartRemark) {
        parts.trace.note("the start says: \(remark)")
        switch remark {
        case .unasked: parts.count("starts without the store")
        case .damaged: parts.count("checkpoints that are damaged")
        default: break
        }
    }
}

extension SimulatedSurroundings: StartSurroundings {
    var now: Duration { parts.time.now }

    func open(_ topology: Topology) throws -> RestoredState {
        var faults = parts.plan.storeFaults
        if isCalm { (faults.crashBefore, faults.crashAfter) = (0, 0) }
        let simulated = SimulatedStore(
            machine.disk, faults: faults, random: random.fork(), copies: world?.copies, reading: parts.implementations.reading
        ) { [parts] in parts.isDiskFull }
        parts.stores.append(simulated)
        machine.hasState = true
        self.simulated = simulated
        store = parts.implementations.store(simulated)
        var restored = try store.open(topology)
        restored.changeAtRest = parts.implementations.changeAtRest(restored.changeAtRest)
        parts.countWaiting(restored, of: topology)
        try process?.pause(.milliseconds(1))
        return restored
    }

    func claim(_ change: ChangeAtRest, mustAnswer: Bool) throws -> ArchiveStanding {
        guard let archive else { throw SimulatedFailure(.bug, "there is no archive") }
        isUnanswered = mustAnswer
        let standing = try archive.claim(simulated.checkpointFacts(), change)
        isUnanswered = false
        isClaimed = true
        return standing
    }

    func keepChanges(after epoch: Epoch) -> Bool {
        simulated.keepChanges(after: epoch)
        owesBase = !simulated.keepsChanges(after: epoch)
        simulated.lacksChanges(owesBase)
        return !owesBase
    }

    func publishFirst(_ reason: FinishedCheckpoint.Reason) throws -> PublishedCheckpoint? {
        guard let archive, let world else { throw SimulatedFailure(.bug, "there is no archive") }
        let file = world.copies.newName()
        _ = simulated.beginCopy(.base, at: file)
        owesBase = false
        while true {
            guard let facts = try simulated.stepCopy(for: .seconds(1)) else { continue }
            let published = try archive.publish(FinishedCheckpoint(content: .base, file: file, facts: facts, reason: reason))
            parts.trace.note("machine \(machine.number) published checkpoint \(published.number), epoch \(published.epoch): \(reason)")
            hasPublishedFirst = true
            return published
        }
    }

    func endSupersession() { simulated.supersessionDone() }

    func partitionCount(of topic: String) -> Int { parts.plan.log.partitionCounts[topic] ?? 0 }

    func register(partitions: [String: Int]) throws { try store.register(partitions: partitions) }

    func open(_ sink: SinkName?, _ tables: [SinkTable]) throws -> [String: RowPartitioning] {
        if isClaimed, let world { world.finals = max(world.finals, machine.disk.finals) }
        try parts.sink.open(tables, by: process)
        openedTables.formUnion(tables.map(\.table.name))
        return parts.plan.partitioning
    }

    func rollBack(_ plan: RollbackPlan, from tables: [String]) throws -> Bool {
        guard let process, let plan = parts.implementations.rollback(plan) else { return true }
        let left = Set(simulated.disk.layouts.keys).subtracting(tables)
        if !left.isEmpty { parts.violate("nothing is rolled back in \(left.sorted()), which a checkpoint names") }
        if let world, world.checkpoints.newestEpoch(of: plan.lineage) == nil {
            parts.violate("rows are rolled back for lineage \(plan.lineage), and no checkpoint in the store says that it began")
        }
        let rows = try parts.sink.rollBack(plan, from: parts.implementations.rolledBackTables(tables, topology), by: process)
        parts.rolledBack(rows, plan)
        try process.pause(.milliseconds(1))
        return true
    }

    func rolledBack() { simulated.rollbackDone(isFinal: false) }

    func environment(_ partitioning: [String: RowPartitioning], _ partitions: [StageName: Int], _ hashKey: HashKey) -> TaskEnvironment {
        TaskEnvironment(partitioning: partitioning, partitions: partitions, cold: store, hashKey: hashKey)
    }

    func load(_ tasks: [any StreamTask], memoryBudget: Int) throws {
        for task in tasks { try store.restore(task, memoryBudget: memoryBudget) }
    }

    func loadReferences() -> Bool { true }

    func position(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] {
        Dictionary(uniqueKeysWithValues: assignments.map { ($0.partition, $0.position?.next ?? 0) })
    }

    func ends(of partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        Dictionary(uniqueKeysWithValues: partitions.map { ($0, parts.plan.log.end(of: $0, now: parts.time.now)) })
    }
}
