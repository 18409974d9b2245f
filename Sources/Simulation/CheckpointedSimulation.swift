import Engine

/// What the workers of a simulation with a checkpoint store have in common.
final class CheckpointWorld {
    let plan: CheckpointPlan
    let copies = SimulatedCopies()
    let objects: SimulatedObjects
    let checkpoints: any CheckpointsUnderTest
    let calls: any CallRunner
    /// How often the state of a worker that claimed the job was made final.
    var finals = 0

    init(
        _ plan: CheckpointPlan, _ time: VirtualTime, calls: any CallRunner, createIsExclusive: Bool, random: inout SeededRandom,
        checkpoints: (SimulatedObjects, VirtualTime) throws -> any CheckpointsUnderTest
    ) throws {
        self.plan = plan
        self.calls = calls
        objects = SimulatedObjects(time: time, faults: plan.objectFaults, random: random.fork(), createIsExclusive: createIsExclusive)
        self.checkpoints = try checkpoints(objects, time)
    }
}

/// A seeded run of a whole job that keeps checkpoints in a store: workers on machines whose disks are lost, workers that go
/// on although another has taken over, a store with faults.
///
/// Workers live and end as the plan says; an operator starts the next one, on the same machine or with an empty state
/// directory on another. At last one runs bounded to the end. Afterwards the sink must hold what a plain computation
/// gives, each row once, and no other worker may go on. The same seed gives the same run for ever.
package final class CheckpointedSimulation {
    private let parts: SimulationParts
    private let world: CheckpointWorld
    private var random: SeededRandom
    private var versions: VersionChoice
    private var machine: SimulatedMachine
    private var machines = 1
    private var processes = 0
    /// Workers that were taken for dead.
    private var zombies: [SimulatedWorker] = []
    private var hadZombies = false
    /// Starts in a row that said that the state is not the job's any more.
    private var refusals = 0

    /// How long the workers that were taken for dead have to find out, once nothing is wrong any more.
    private static let zombiePatience = Duration.seconds(120)
    /// How long the last worker has to make a checkpoint and to roll back once more after it.
    private static let resolvingPatience = Duration.seconds(300)
    /// After so many such starts in a row the operator moves the state away.
    private static let patience = 3
    /// The starts in a row that may be refused.
    private static let startLimit = 200

    package init(
        _ plan: SimulationPlan, _ checkpointPlan: CheckpointPlan, implementations: SimulatedImplementations = .init(),
        calls: any CallRunner,
        random: SeededRandom, checkpoints: (SimulatedObjects, VirtualTime) throws -> any CheckpointsUnderTest
    ) throws {
        var random = random
        parts = SimulationParts(plan, implementations, &random)
        world = try CheckpointWorld(
            checkpointPlan, parts.time, calls: calls, createIsExclusive: implementations.createIsExclusive, random: &random,
            checkpoints: checkpoints)
        versions = VersionChoice(plan.versions, &random)
        self.random = random
        machine = SimulatedMachine(1)
        parts.disks = [machine.disk]
        if checkpointPlan.durability == .shared { parts.covered = { [world] in world.checkpoints.newestEpoch(of: $0) ?? Epoch(0) } }
    }

    /// Runs to the end and checks against the `expected` rows, each its table's name and the values in order.
    package func run(expected: [String]) -> SimulationReport { run { SimulationChecks.contents($0.map(\.text), expected) } }

    /// Runs to the end; `judge` says what is wrong with the contents of the sink's rows.
    package func run(_ judge: ([SimulatedSink.Row]) -> [String]) -> SimulationReport {
        parts.scheduleOutages()
        for period in world.plan.storeDown {
            parts.time.after(period.lowerBound) { [self] in
                parts.trace.note("the store goes down")
                parts.count("store outages")
                world.objects.isDown = true
            }
            parts.time.after(period.upperBound) { [self] in
                parts.trace.note("the store comes up")
                world.objects.isDown = false
            }
        }
        for (number, life) in world.plan.lives.enumerated() {
            if let every = world.plan.finalizesEvery, (number + 1) % every == 0 { makeFinal() }
            live(life)
        }
        parts.pass(
            (parts.plan.sinkDown + world.plan.storeDown + parts.plan.diskFull).map(\.upperBound).max().map { $0 - parts.time.now } ?? .zero)
        finish()
        buryZombies()
        resolve()
        for (name, times) in world.objects.counts { parts.count(name, times) }
        checkRollbacks()
        return parts.report(judge)
    }

    // MARK: - Lives

    /// An operator's `finalize`, while no worker runs on the machine.
    private func makeFinal() {
        guard machine.hasState else { return }
        parts.trace.note("the state of machine \(machine.number) is made final, epoch \(machine.disk.epoch)")
        parts.count("states that were made final")
        machine.disk.makeFinal()
    }

    private func live(_ life: CheckpointPlan.Life) {
        guard parts.violations.isEmpty else { return }
        parts.trace.note("a life of \(life.length) begins on machine \(machine.number), to end by \(life.ending)")
        let deadline = parts.time.now + life.length
        guard let worker = start(isBounded: false, isCalm: false, takesOver: life.takesOver, unasked: life.unasked, until: deadline) else {
            return end(life.ending, nil)
        }
        while worker.end == nil && parts.time.now < deadline && parts.advance() {}
        if worker.end == nil, life.ending == .drain {
            worker.drain()
            while worker.end == nil && parts.advance() {}
        }
        end(life.ending, worker)
        if life.ending == .takeOver, worker.end == nil, life.cutOff > .zero {
            parts.trace.note("process \(worker.process?.number ?? 0) can't reach the store for \(life.cutOff)")
            worker.process?.isCutOff = true
            parts.time.after(life.cutOff) { worker.process?.isCutOff = false }
        }
        // A little time passes before the next start; what is under way goes on meanwhile.
        parts.pass(random.milliseconds(in: 10...6_000))
    }

    private func end(_ ending: CheckpointPlan.Ending, _ worker: SimulatedWorker?) {
        switch ending {
        case .crash, .drain: break
        case .diskLoss, .takeOver:
            parts.count(ending == .takeOver ? "take-overs" : "lost disks")
            replaceMachine()
        }
        guard let worker else { return }
        if ending == .takeOver, worker.end == nil {
            hadZombies = true
            zombies.append(worker)
            // Some die before they find out; the others have to find out.
            if random.percent(50) { parts.time.after(random.milliseconds(in: 1_000...120_000)) { worker.kill() } }
        } else {
            if worker.end == nil { worker.kill() }
            judge(worker)
        }
    }

    private func replaceMachine() {
        machines += 1
        machine = SimulatedMachine(machines)
        parts.disks.append(machine.disk)
    }

    private func judge(_ worker: SimulatedWorker) {
        parts.trace.note("process \(worker.process?.number ?? 0) ended: \(worker.end.map { "\($0)" } ?? "never")")
        switch worker.end {
        case .failed(let error as any Failure)? where error.kind == .fenced:
            parts.count("workers that were fenced")
            if !hadZombies && world.plan.objectFaults.damagedRead == 0 { parts.violate("a worker was fenced without another: \(error)") }
        case .failed(let error)?: parts.violate("the worker stopped: \(error)")
        case .unreadable?: break
        case .crashed?: parts.count("crashes")
        case .finished?: parts.count("finished lives")
        case .leftUndelivered?: parts.count("drains that ran out of time")
        case nil where parts.violations.isEmpty: parts.violateEndless()
        case nil: break
        }
    }

    /// Starts a worker, again and again as a supervisor does; nil when it is killed at `deadline` before it ran.
    private func start(isBounded: Bool, isCalm: Bool, takesOver: Bool, unasked: Duration = .zero, until deadline: Duration?)
        -> SimulatedWorker?
    {
        let topology = versions.next(parts)
        let asks = parts.time.now + unasked
        for attempt in 1...CheckpointedSimulation.startLimit {
            processes += 1
            let process = SimulatedProcess(processes, calls: world.calls, time: parts.time)
            if parts.time.now < asks {
                process.isCutOff = true
                parts.time.after(asks - parts.time.now) { process.isCutOff = false }
            }
            let surroundings = SimulatedSurroundings(
                parts, topology, machine, world: world, process: process, takesOver: takesOver || attempt > 20, isCalm: isCalm,
                isBounded: isBounded,
                random: random.fork()
            )
            var outcome: Result<RunStart, any Error>?
            process.perform {
                try surroundings.start()
            } then: {
                outcome = $0
            }
            let isOver = { [parts] in deadline.map { parts.time.now >= $0 } ?? false }
            while outcome == nil && !isOver() && parts.advance() {}
            guard let outcome, parts.violations.isEmpty else {
                process.die()
                parts.count("starts that were killed")
                return nil
            }
            do {
                return run(surroundings, try outcome.get(), process)
            } catch {
                process.die()
                refused(error)
            }
            parts.pass(random.milliseconds(in: 200...3_000))
            if isOver() || !parts.violations.isEmpty { return nil }
        }
        parts.violate("\(CheckpointedSimulation.startLimit) starts were refused in a row")
        return nil
    }

    private func refused(_ error: any Error) {
        parts.trace.note("a start on machine \(machine.number) is refused: \(error)")
        switch (error as? any Failure)?.kind {
        case .retry: parts.count("starts that have to wait")
        case .locked: parts.count("starts that a running worker forbids")
        case .corrupt where world.plan.objectFaults.damagedRead > 0: parts.count("starts that read damage")
        case .fenced, .invalid:
            parts.count("states that are not the job's any more")
            // What an earlier start sent may land between two steps of this one: the next one is right. If it is not, the
            // operator does what the message says: move the state directory away and start with an empty one.
            refusals += 1
            guard refusals == CheckpointedSimulation.patience else { return }
            refusals = 0
            let faults = world.plan.objectFaults
            // Also what a worker that is dead by now had sent may land after the newest checkpoint was restored.
            if !hadZombies && faults.damagedRead == 0 && faults.landsLate == 0 {
                parts.violate("starts were refused without another worker: \(error)")
            }
            parts.count("states that were moved away")
            replaceMachine()
        default: parts.violate("the start failed: \(error)")
        }
    }

    private func run(_ surroundings: SimulatedSurroundings, _ start: RunStart, _ process: SimulatedProcess) -> SimulatedWorker {
        refusals = 0
        let worker = SimulatedWorker(surroundings, start, random: random.fork())
        parts.trace.note(
            "process \(process.number) runs on machine \(machine.number), lineage \(start.restored.lineage), from epoch \(start.restored.epoch)"
        )
        worker.start()
        return worker
    }

    // MARK: - The end

    /// Runs bounded to the end of the log.
    private func finish() {
        for length in parts.plan.boundedCrashes.map(Optional.some) + Array(repeating: nil, count: SimulationParts.boundedTries) {
            guard parts.violations.isEmpty else { return }
            parts.pass(parts.plan.log.lastArrival - parts.time.now)
            guard let worker = start(isBounded: true, isCalm: length == nil, takesOver: true, until: nil) else { return }
            if let length { parts.time.after(length) { worker.kill() } }
            while worker.end == nil && parts.advance() {}
            judge(worker)
            if case .finished? = worker.end { return }
            if length != nil, random.percent(50) {
                parts.count("lost disks")
                replaceMachine()
            }
        }
        if parts.violations.isEmpty { parts.violate("the job did not come to its end in bounded runs") }
    }

    /// Every worker but the last must have found out that the job is not its own.
    private func buryZombies() {
        let deadline = parts.time.now + CheckpointedSimulation.zombiePatience
        while zombies.contains(where: { $0.end == nil }) && parts.time.now < deadline && parts.advance() {}
        for worker in zombies where parts.violations.isEmpty {
            if worker.end == nil { parts.violate("process \(worker.process?.number ?? 0) goes on beside the one that took over") }
            judge(worker)
        }
    }

    /// Once more a worker that reads nothing new, until nothing is left to be rolled back.
    private func resolve() {
        parts.pass(parts.sink.resolveDelay)
        guard parts.violations.isEmpty, let worker = start(isBounded: false, isCalm: true, takesOver: true, until: nil) else { return }
        let deadline = parts.time.now + CheckpointedSimulation.resolvingPatience
        while worker.end == nil, worker.isToRollBackAgain, parts.time.now < deadline, parts.advance() {}
        if worker.end == nil, worker.isToRollBackAgain, parts.violations.isEmpty {
            parts.violate(
                "for \(CheckpointedSimulation.resolvingPatience) nobody looked once more for what was delivered after the restored checkpoint"
            )
        }
        worker.drain()
        while worker.end == nil && parts.advance() {}
        judge(worker)
    }

    private func checkRollbacks() {
        let rows = parts.counts["rolled back rows", default: 0]
        if world.plan.durability == .shared && rows > 0 && !hadZombies {
            parts.violate("\(rows) rows were rolled back although nothing leaves before it is in the store")
        }
    }
}
