import Foundation
import Simulation
import SimulationWorlds
import Synchronization
import TestSupport
import Testing

/// Seeds that are run: `TIDEMARK_SIMULATION_SEED` one, `TIDEMARK_SIMULATION_SEEDS` as many, from 0 on.
enum Seeds {
    static let usual = 60

    static var all: [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["TIDEMARK_SIMULATION_SEED"].flatMap(UInt64.init) { return [one] }
        let count = environment["TIDEMARK_SIMULATION_SEEDS"].flatMap(Int.init) ?? usual
        return (0..<UInt64(max(count, 1))).map { $0 }
    }
}

@Suite("Promise 8 and all others: whatever fails, every row is delivered once, and one seed replays it")
struct SimulationTests {
    @Test(arguments: PurchaseJob.allCases)
    func whateverFailsEveryRowIsDeliveredOnce(job: PurchaseJob) {
        var happened: [String: Int] = [:]
        for seed in Seeds.all {
            let report = SimulatedJob(job, seed: seed).run()
            guard report.violations.isEmpty else {
                Issue.record("\(job): \(report.story(seed: seed)); again with TIDEMARK_SIMULATION_SEED=\(seed)")
                return
            }
            happened.merge(report.counts) { $0 + $1 }
        }
        guard Seeds.all.count >= Seeds.usual else { return }
        // A simulation in which nothing goes wrong proves nothing.
        let wanted =
            ["crashes", "finished lives", "outages", "holds", "commits that waited", "cold reads", "rows", "requests"]
            + (job.hasWindows ? ["closings"] : []) + (job.hasTimers ? [] : ["idle raises"])
        for name in wanted { #expect(happened[name, default: 0] > 0, "\(job), \(name): never in \(Seeds.all.count) seeds") }
    }

    @Test func aSeedGivesTheSameRunForEver() {
        for seed in [3, 4] as [UInt64] {
            let first = SimulatedJob(.everything, seed: seed).run()
            let second = SimulatedJob(.everything, seed: seed).run()
            #expect(first.trace == second.trace && first.counts == second.counts && first.length == second.length)
        }
    }
}
