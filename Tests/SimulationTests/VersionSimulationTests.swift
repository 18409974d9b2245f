import Simulation
import SimulationWorlds
import TestSupport
import Testing

@Suite("Promise 8 over versions of a job: forward and back at any time, every row is there once, by its columns' names")
struct VersionSimulationTests {
    /// A third of the usual ones, for each job.
    private static var seeds: ArraySlice<UInt64> { Seeds.all.count == Seeds.usual ? Seeds.all.prefix(Seeds.usual / 3) : Seeds.all[...] }

    /// What has to happen, or it would prove nothing.
    private static let wanted = [
        "upgrades", "ways back", "rows in another layout", "batches in another layout", "outboxes with two layouts",
        "rows of tables that the version lacks",
        "messages in another layout", "crashes", "finished lives", "drains that ran out of time", "outages",
    ]

    @Test func whicheverVersionRunsEveryRowIsDeliveredOnce() {
        var happened: [String: Int] = [:]
        for job in PurchaseJob.allCases {
            for seed in VersionSimulationTests.seeds {
                let report = SimulatedJob(job, seed: seed, hasVersions: true).run()
                guard report.violations.isEmpty else {
                    Issue.record("\(job): \(report.story(seed: seed)); again with TIDEMARK_SIMULATION_SEED=\(seed)")
                    return
                }
                happened.merge(report.counts) { $0 + $1 }
            }
        }
        guard Seeds.all.count >= Seeds.usual else { return }
        for name in VersionSimulationTests.wanted {
            #expect(happened[name, default: 0] > 0, "\(name): never in \(VersionSimulationTests.seeds.count) seeds of each job")
        }
    }

    @Test func aSeedGivesTheSameRunForEver() {
        let first = SimulatedJob(.rekeyedInOrder, seed: 3, hasVersions: true).run()
        let second = SimulatedJob(.rekeyedInOrder, seed: 3, hasVersions: true).run()
        #expect(first.trace == second.trace && first.counts == second.counts && first.length == second.length)
    }
}
