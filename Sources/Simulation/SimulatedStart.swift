import Engine

/// A machine with a disk of its own.
final class SimulatedMachine {
    let number: Int
    fileprivate(set) var disk: SimulatedDisk
    /// False while its state directory is empty.
    fileprivate(set) var hasState = false

    init(_ number: Int) {
        self.number = number
        disk = SimulatedDisk(identity: "state-\(number)", hashKey: HashKey(first: UInt64(number), second: 1))
    }
}

/// A worker's way from its state directory to where it may read and deliver: restores, claims, publishes, withdraws, in the
/// order in which the real worker does. All of it blocks.
struct SimulatedStart {
    struct Started {
        let store: SimulatedStore
        let restored: RestoredState
        /// Those that rows are taken back from.
        let withdrawnTables: [String]
        let archive: any CheckpointArchive
        let checkpointing: Checkpointing
    }

    let parts: SimulationParts
    let topology: Topology
    let world: CheckpointWorld
    let machine: SimulatedMachine
    let process: SimulatedProcess
    let takesOver: Bool
    /// True when the process is not to die by itself.
    let isCalm: Bool
    let random: SeededRandom

    private var plan: CheckpointPlan { world.plan }

    func run() throws -> Started {
        try restore()
        var faults = parts.plan.storeFaults
        if isCalm { (faults.crashBefore, faults.crashAfter) = (0, 0) }
        let store = SimulatedStore(
            machine.disk, faults: faults, random: random, copies: world.copies, reading: parts.implementations.reading
        ) { [parts] in parts.isDiskFull }
        parts.stores.append(store)
        machine.hasState = true
        var restored = try store.open(topology)
        restored.changeAtRest = parts.implementations.changeAtRest(restored.changeAtRest)
        try process.pause(.milliseconds(1))
        let archive = parts.implementations.archive(try world.checkpoints.makeArchive(on: machine.number, by: process))
        var checkpointing = try claim(archive, store, restored)
        store.keepChanges(after: checkpointing.keepsChangesAfter)
        if !store.keepsChanges(after: checkpointing.keepsChangesAfter) { checkpointing.beginsWithBase(now: parts.time.now) }
        if let reason = checkpointing.first { try publish(reason, store, archive, &checkpointing) }
        if checkpointing.isClaimed { world.finals = max(world.finals, machine.disk.finals) }
        try parts.sink.open(restored.outboxTables(of: topology).map { SinkTable($0, restored) }, by: process)
        let withdrawn = parts.implementations.withdrawnTables(restored.tablesToWithdrawFrom(of: topology), topology)
        try withdraw(from: withdrawn, store, &checkpointing)
        return Started(store: store, restored: restored, withdrawnTables: withdrawn, archive: archive, checkpointing: checkpointing)
    }

    private func restore() throws {
        if machine.hasState {
            guard machine.disk.epoch == Epoch(0), try world.checkpoints.isOfOthers(machine.number, by: process) else { return }
            parts.count("states that a refused start left")
        }
        let found = try world.checkpoints.restore(
            on: machine.number, takesOver: takesOver, durability: plan.durability, interval: plan.interval, by: process
        )
        guard let found = found.map(parts.implementations.restoration) else { return }
        guard let disk = world.copies.assemble(found.names) else { throw SimulatedFailure(.bug, "\(found.names) are no copies") }
        if let lineage = found.lineage { disk.begin(lineage, tables: found.tables) }
        parts.trace.note("machine \(machine.number) is restored: epoch \(disk.epoch)\(found.lineage.map { ", lineage \($0)" } ?? "")")
        parts.count(found.lineage == nil ? "restores that go on" : "restores in a new lineage")
        if disk.finals < world.finals && plan.objectFaults.damagedRead == 0 {
            parts.violate("the newest checkpoint lets in a version of the job that the state of a worker before kept out when it began")
        }
        parts.disks.append(disk)
        machine.disk = disk
        machine.hasState = true
        try process.pause(.milliseconds(1))
    }

    private func claim(_ archive: any CheckpointArchive, _ store: SimulatedStore, _ restored: RestoredState) throws -> Checkpointing {
        var standing: ArchiveStanding?
        do {
            standing = try archive.claim(store.checkpointFacts(), restored.changeAtRest)
        } catch let error as any Failure where error.kind == .retry {
            guard Checkpointing.refusal(of: restored, durability: plan.durability, mayBeginUnasked: false) == nil else { throw error }
            parts.count("starts without the store")
        }
        return Checkpointing(
            interval: plan.interval, durability: plan.durability, restored: restored, tables: restored.tablesToWithdrawFrom(of: topology),
            standing: standing, now: parts.time.now
        )
    }

    private func publish(
        _ reason: FinishedCheckpoint.Reason, _ store: SimulatedStore, _ archive: any CheckpointArchive, _ checkpointing: inout Checkpointing
    ) throws {
        let file = world.copies.newName()
        _ = store.beginCopy(.base, at: file)
        var facts: CheckpointFacts?
        while facts == nil { facts = try store.stepCopy(for: .seconds(1)) }
        guard let facts else { return }
        let published = try archive.publish(FinishedCheckpoint(content: .base, file: file, facts: facts, reason: reason))
        parts.trace.note("machine \(machine.number) published checkpoint \(published.number), epoch \(published.epoch): \(reason)")
        if checkpointing.published(published, now: parts.time.now).endsSupersession { store.supersessionDone() }
    }

    private func withdraw(from tables: [String], _ store: SimulatedStore, _ checkpointing: inout Checkpointing) throws {
        guard let plan = checkpointing.dueWithdrawal.flatMap(parts.implementations.withdrawal) else { return }
        let rows = try parts.sink.withdraw(plan, from: tables, by: process)
        parts.withdrew(rows, plan)
        try process.pause(.milliseconds(1))
        store.withdrawalDone(isFinal: false)
        checkpointing.withdrawn()
    }
}
