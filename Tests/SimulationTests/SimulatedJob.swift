import Engine
import Simulation
import TestSupport

/// A simulation of one of the purchase jobs; everything about it comes from the seed.
struct SimulatedJob {
    let plan: SimulationPlan
    let expected: [String]
    private let random: SeededRandom

    init(_ job: PurchaseJob, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let isThereAtOnce = random.percent(30)
        let partitions = job.partitions(atMost: random.number(in: 1...5))
        let log = PurchaseLog(of: job, partitions: partitions, isThereAtOnce: isThereAtOnce, random: &random)
        var plan = SimulationPlan(topology: job.topology, log: log.simulated)
        plan.drawFaults(&random)
        // Idle partitions follow the others' watermarks, at times that depend on the schedule: windows don't mind, timers do.
        if job.hasTimers { plan.idleAfter = Simulation.limit }
        self.plan = plan
        self.random = random
        expected = PurchaseReference.rows(of: job, log.values)
    }

    func run(_ implementations: SimulatedImplementations = .init()) -> SimulationReport {
        Simulation(plan, implementations: implementations, random: random).run(expected: expected)
    }
}
