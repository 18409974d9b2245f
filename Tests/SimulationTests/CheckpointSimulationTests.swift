import Simulation
import SimulationWorlds
import TestSupport
import Testing

@Suite("Promises 5 and 8: whatever becomes of disks, stores and workers that were taken for dead, every row is there once")
struct CheckpointSimulationTests {
    /// A run is as long as several of those without a store.
    private static var seeds: ArraySlice<UInt64> { Seeds.all.count == Seeds.usual ? Seeds.all.prefix(Seeds.usual / 3) : Seeds.all[...] }

    /// What has to happen in every world, or a simulation in which nothing goes wrong would prove nothing.
    private static let wanted = [
        "checkpoints", "checkpoints that failed", "crashes", "finished lives", "late puts", "lost disks", "lost races", "outages",
        "puts that found themselves",
        "starts that a running worker forbids", "starts that have to wait", "starts that were killed", "store outages",
        "store requests without an answer",
    ]

    private static let ofVersions = [
        "take-overs", "upgrades", "ways back", "rows in another layout", "batches in another layout",
        "rows of tables that the version lacks",
        "messages in another layout",
    ]

    private func run(_ world: CheckpointedJob.World, finalizesEvery: Int? = nil, wanted: [String]) throws {
        var happened: [String: Int] = [:]
        for seed in CheckpointSimulationTests.seeds {
            let report = try CheckpointedJob(world, seed: seed, finalizesEvery: finalizesEvery).run()
            guard report.violations.isEmpty else {
                Issue.record("\(world): \(report.story(seed: seed)); again with TIDEMARK_SIMULATION_SEED=\(seed)")
                return
            }
            happened.merge(report.counts) { $0 + $1 }
        }
        guard Seeds.all.count >= Seeds.usual else { return }
        for name in CheckpointSimulationTests.wanted + wanted {
            #expect(happened[name, default: 0] > 0, "\(world), \(name): never in \(CheckpointSimulationTests.seeds.count) seeds")
        }
    }

    @Test func sharedDurabilityAndLostDisks() throws { try run(.sharedWithLostDisks, wanted: ["restores that go on"]) }

    @Test func localDurabilityAndLostDisks() throws {
        try run(
            .localWithLostDisks,
            wanted: ["restores in a new lineage", "rollbacks", "rolled back rows", "second rollbacks", "damaged reads"])
    }

    @Test func sharedDurabilityAndWorkersThatGoOn() throws {
        try run(.sharedWithZombies, wanted: ["take-overs", "workers that were fenced"])
    }

    @Test(arguments: [CheckpointedJob.World.sharedWithLostDisks, .localWithLostDisks])
    func whatAFinalStateKeepsOutNoCheckpointLetsIn(world: CheckpointedJob.World) throws {
        try run(world, finalizesEvery: 2, wanted: ["states that were made final"])
    }

    @Test func localDurabilityAndWorkersThatGoOn() throws {
        try run(.localWithZombies, wanted: ["take-overs", "workers that were fenced", "rolled back rows", "second rollbacks"])
    }

    /// A worker that nobody tells whose the job is sends nothing again: what it sends then may arrive when its successor has
    /// counted.
    @Test func sharedDurabilityAndWorkersThatAreCutOffFromTheStore() throws { try run(.sharedWithCutOffs, wanted: ["take-overs"]) }

    @Test func sharedDurabilityAndVersions() throws { try run(.sharedWithVersions, wanted: CheckpointSimulationTests.ofVersions) }

    @Test func localDurabilityAndVersions() throws {
        try run(.localWithVersions, wanted: CheckpointSimulationTests.ofVersions + ["rolled back rows", "second rollbacks"])
    }

    @Test(arguments: CheckpointedJob.World.allCases)
    func aSeedGivesTheSameRunForEver(world: CheckpointedJob.World) throws {
        let first = try CheckpointedJob(world, seed: 3).run()
        let second = try CheckpointedJob(world, seed: 3).run()
        #expect(first.trace == second.trace && first.counts == second.counts && first.length == second.length)
    }
}
