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
        // The second life goes on from the disk of the first, and loses it soon: a version may have begun there whose tables no checkpoint
        // knows yet, and its rows leave at once. Few starts follow: one by a version that has the table takes those rows back.
        func job(_ seed: UInt64) -> CheckpointedJob {
            CheckpointedJob(.localWithVersions, seed: seed) { plan, checkpoints in
                plan.epochInterval = .milliseconds(500)
                plan.flushInterval = .milliseconds(100)
                plan.boundedCrashes = []
                plan.storeFaults.outgrown = 0
                checkpoints.interval = .seconds(20)
                checkpoints.lives = Array(checkpoints.lives.prefix(2))
                for life in checkpoints.lives.indices {
                    checkpoints.lives[life].ending = life == 0 ? .crash : .diskLoss
                    checkpoints.lives[life].takesOver = true
                    checkpoints.lives[life].unasked = .zero
                    checkpoints.lives[life].length = .seconds(15)
                }
            }
        }
        let noticing = try #require(
            try (0..<5 * VersionMutationTests.patience).first { try !job($0).run(implementations).violations.isEmpty })
        #expect(try job(noticing).run().violations == [])
    }
}
