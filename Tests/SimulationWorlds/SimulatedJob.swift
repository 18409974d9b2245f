import Engine
import Simulation
import TestSupport

/// A simulation of one of the purchase jobs; everything about it comes from the seed.
package struct SimulatedJob {
    private let plan: SimulationPlan
    private let expected: [String]
    private let hasVersions: Bool
    private let random: SeededRandom

    /// `hasVersions`: each life runs one of the versions of the job.
    package init(_ job: PurchaseJob, seed: UInt64, hasVersions: Bool = false) {
        var random = SeededRandom(seed: seed)
        let isThereAtOnce = random.percent(30)
        let partitions = job.partitions(atMost: random.number(in: 1...5))
        let log = PurchaseLog(of: job, partitions: partitions, isThereAtOnce: isThereAtOnce, random: &random)
        var plan = SimulationPlan(
            versions: hasVersions ? PurchaseVersion.allCases.map { job.topology(of: $0) } : [job.topology], log: log.simulated)
        plan.drawFaults(&random)
        if hasVersions { plan.drawWaiting(&random) }
        job.drawIdleness(of: &plan, &random)
        self.plan = plan
        self.hasVersions = hasVersions
        self.random = random
        expected = PurchaseReference.rows(of: job, log.values)
    }

    package func run(_ implementations: SimulatedImplementations = .init()) -> SimulationReport {
        let simulation = Simulation(plan, implementations: implementations, random: random)
        return hasVersions ? simulation.run { PurchaseVersionReference.differences($0, expected) } : simulation.run(expected: expected)
    }
}
