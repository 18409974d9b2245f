import Simulation
import TestSupport
import Testing

@Suite("Promises 5 and 8: whatever becomes of disks, stores and workers that were taken for dead, every row is there once")
struct CheckpointSimulationTests {
    @Test(arguments: CheckpointedJob.World.allCases)
    func whateverIsLostEveryRowIsThereOnce(world: CheckpointedJob.World) throws {
        var happened: [String: Int] = [:]
        for seed in Seeds.all {
            let report = try CheckpointedJob(world, seed: seed).run()
            guard report.violations.isEmpty else {
                Issue.record("\(world): \(report.story(seed: seed)); again with TIDEMARK_SIMULATION_SEED=\(seed)")
                return
            }
            happened.merge(report.counts) { $0 + $1 }
        }
        print("\(world): \(happened.sorted { $0.key < $1.key })")
    }

    @Test(arguments: CheckpointedJob.World.allCases)
    func aSeedGivesTheSameRunForEver(world: CheckpointedJob.World) throws {
        for seed in [3, 4] as [UInt64] {
            let first = try CheckpointedJob(world, seed: seed).run()
            let second = try CheckpointedJob(world, seed: seed).run()
            #expect(first.trace == second.trace && first.counts == second.counts && first.length == second.length)
        }
    }
}
