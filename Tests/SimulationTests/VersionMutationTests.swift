import Engine
import Simulation
import SimulationWorlds
import TestSupport
import Testing

@Suite("The simulation notices a layout that is not looked at")
struct VersionMutationTests {
    /// Seeds within which each has to be noticed.
    static let patience = 60 as UInt64

    /// The first seed that shows the break.
    private func noticing(_ implementations: SimulatedImplementations, _ job: PurchaseJob) -> UInt64? {
        (0..<VersionMutationTests.patience).first {
            !SimulatedJob(job, seed: $0, hasVersions: true).run(implementations).violations.isEmpty
        }
    }

    @Test(arguments: [PurchaseJob.windowed, .merged, .visits])
    func rowsThatAreReadByThePresentDeclaration(job: PurchaseJob) {
        #expect(noticing(.readingByDeclaration, job) != nil)
    }

    @Test(arguments: [PurchaseJob.windowed, .merged, .visits])
    func rowsOfTwoLayoutsThatAreFrozenIntoOneBatch(job: PurchaseJob) {
        #expect(noticing(.freezingLayoutsTogether, job) != nil)
    }

    @Test(arguments: [PurchaseJob.merged, .chained, .rekeyed])
    func messagesThatAreHandedOverUnread(job: PurchaseJob) {
        #expect(noticing(.handingMessagesOverUnread, job) != nil)
    }

    @Test func tablesOfOtherVersionsThatAreNotRolledBackFrom() throws {
        let seeds = 0..<VersionMutationTests.patience
        let noticing = try seeds.first {
            try !CheckpointedJob(.localWithVersions, seed: $0).run(.rollingBackFromDeclaredTables).violations.isEmpty
        }
        #expect(noticing != nil)
    }

    @Test func rowsOfATableThatLeaveBeforeACheckpointKnowsIt() throws {
        var implementations = SimulatedImplementations()
        implementations.archive = { BrokenArchive($0, .knowsEveryTable) }
        // Disks that are lost soon after a version began whose tables no checkpoint knows yet, with rows that leave at once.
        func job(_ seed: UInt64) -> CheckpointedJob {
            CheckpointedJob(.localWithVersions, seed: seed) { plan, checkpoints in
                plan.flushInterval = .milliseconds(100)
                checkpoints.interval = .seconds(20)
                for life in checkpoints.lives.indices {
                    checkpoints.lives[life].ending = .diskLoss
                    checkpoints.lives[life].takesOver = true
                    checkpoints.lives[life].length = .seconds(life % 2 == 0 ? 30 : 10)
                }
            }
        }
        let noticing = try #require(try (0..<VersionMutationTests.patience).first { try !job($0).run(implementations).violations.isEmpty })
        #expect(try job(noticing).run().violations == [])
    }
}
