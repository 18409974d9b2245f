import Engine
import Simulation
import TestSupport

/// A simulation of one of the purchase jobs with a checkpoint store; everything about it comes from the seed.
package struct CheckpointedJob {
    /// What the workers live in.
    package enum World: CaseIterable, Sendable {
        case sharedWithLostDisks, localWithLostDisks, sharedWithZombies, localWithZombies, sharedWithCutOffs
        /// With lost disks and workers that go on, and each life runs one of the versions of the job.
        case sharedWithVersions, localWithVersions

        var durability: Durability { [.localWithLostDisks, .localWithZombies, .localWithVersions].contains(self) ? .local : .shared }
        var trouble: CheckpointPlan.Trouble {
            switch self {
            case .sharedWithLostDisks, .localWithLostDisks: .lostDisks
            case .sharedWithZombies, .localWithZombies, .sharedWithVersions, .localWithVersions: .zombies
            case .sharedWithCutOffs: .cutOffs
            }
        }
        var hasVersions: Bool { self == .sharedWithVersions || self == .localWithVersions }
    }

    private let plan: SimulationPlan
    private let checkpoints: CheckpointPlan
    private let expected: [String]
    private let hasVersions: Bool
    private let random: SeededRandom

    /// `finalizesEvery`: before each so many lives the state is made final. `change`: of what was drawn, for a test that wants one
    /// thing to happen often.
    package init(
        _ world: World, seed: UInt64, finalizesEvery: Int? = nil, change: (inout SimulationPlan, inout CheckpointPlan) -> Void = { _, _ in }
    ) {
        // Each world has choices of its own.
        var random = SeededRandom(seed: seed << 8 | UInt64(World.allCases.firstIndex(of: world) ?? 0))
        let job = PurchaseJob.allCases[random.number(in: 0...(PurchaseJob.allCases.count - 1))]
        let partitions = job.partitions(atMost: random.number(in: 1...3))
        let log = PurchaseLog(of: job, partitions: partitions, isThereAtOnce: random.percent(20), random: &random)
        hasVersions = world.hasVersions
        var plan = SimulationPlan(
            versions: hasVersions ? PurchaseVersion.allCases.map { job.topology(of: $0) } : [job.topology], log: log.simulated)
        plan.drawFaults(&random)
        plan.lives = []
        if hasVersions { plan.drawWaiting(&random) }
        // As shipped: it is what a worker that was taken for dead is given.
        plan.sinkFaults.resolveDelay = .seconds(10)
        plan.storeFaults.outgrown = random.percent(50) ? 2 : 0
        plan.storeFaults.copyFails = random.percent(50) ? 10 : 0
        // Two workers that both resolve the same batches, and requests that arrive when both have looked.
        if world.trouble == .zombies, random.percent(50) {
            plan.sinkFaults.requestLost = 20
            plan.sinkFaults.landsLate = 25
        }
        if world.trouble == .cutOffs {
            plan.sinkFaults.requestLost = 35
            plan.sinkFaults.landsLate = 45
        }
        job.drawIdleness(of: &plan, &random)
        var checkpoints = CheckpointPlan(world.durability)
        checkpoints.draw(world.trouble, until: log.simulated.lastArrival, &random)
        checkpoints.finalizesEvery = finalizesEvery
        change(&plan, &checkpoints)
        self.plan = plan
        self.checkpoints = checkpoints
        self.random = random
        expected = PurchaseReference.rows(of: job, log.values)
    }

    package func run(_ implementations: SimulatedImplementations = .init()) throws -> SimulationReport {
        let directory = try TemporaryDirectory("tidemark-simulation", inMemory: true)
        let calls = ThreadedCalls()
        defer { calls.end() }
        let simulation = try CheckpointedSimulation(plan, checkpoints, implementations: implementations, calls: calls, random: random) {
            objects, time in
            try StoreCheckpoints(objects, time, in: directory)
        }
        return hasVersions ? simulation.run { PurchaseVersionReference.differences($0, expected) } : simulation.run(expected: expected)
    }
}
