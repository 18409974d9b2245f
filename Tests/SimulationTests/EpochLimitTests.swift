import Engine
import Simulation
import TestSupport
import Testing

@Suite("Epochs that no interval ends are cut at their limits and at the end, whatever the store has to compact first")
struct EpochLimitTests {
    @Test(arguments: [PurchaseJob.windowed, .merged])
    func aRunComesToItsEndWithoutAnInterval(job: PurchaseJob) {
        for seed in 0..<10 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let log = PurchaseLog(of: job, partitions: job.partitions(atMost: 3), isThereAtOnce: true, random: &random)
            var plan = SimulationPlan(topology: job.topology, log: log.simulated)
            plan.threads = 2
            plan.epochInterval = Simulation.limit * 2
            plan.epochRecords = 20
            let report = Simulation(plan, random: random).run(expected: PurchaseReference.rows(of: job, log.values))
            #expect(report.violations.isEmpty, "\(job): \(report.story(seed: seed))")
        }
    }
}
