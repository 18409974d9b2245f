import Engine
import Simulation
import TestSupport
import Testing

@Suite("The simulation notices every promise about checkpoints that is broken on purpose")
struct CheckpointMutationTests {
    /// Seeds tried until one shows the break.
    static let patience = 300

    private func isNoticed(in worlds: [CheckpointedJob.World], _ implementations: SimulatedImplementations) throws -> Bool {
        for seed in 0..<UInt64(CheckpointMutationTests.patience) {
            for world in worlds where try !CheckpointedJob(world, seed: seed).run(implementations).violations.isEmpty {
                print("noticed by seed \(seed) of \(world): \(try CheckpointedJob(world, seed: seed).run(implementations).violations[0])")
                return true
            }
        }
        return false
    }

    @Test func rowsThatLeaveBeforeTheirCheckpoint() throws {
        var implementations = SimulatedImplementations()
        implementations.coordinator = { BrokenCoordinator($0, .deliversBeforeTheCheckpoint) }
        #expect(try isNoticed(in: [.sharedWithLostDisks], implementations))
    }

    @Test(arguments: [
        (BrokenArchive.Break.ignoresALostRace, CheckpointedJob.World.localWithZombies), (.ignoresALostRace, .sharedWithZombies), (.neverAsks, .sharedWithZombies),
        (.trustsAnUnknownAnswer, .sharedWithLostDisks), (.publishesLate, .sharedWithLostDisks),
    ])
    func archives(broken: BrokenArchive.Break, world: CheckpointedJob.World) throws {
        var implementations = SimulatedImplementations()
        implementations.archive = { BrokenArchive($0, broken) }
        #expect(try isNoticed(in: [world], implementations))
    }

    @Test(arguments: [CheckpointedJob.World.localWithZombies, .sharedWithZombies])
    func deliveriesThatNeverAskWhoseTheJobIs(world: CheckpointedJob.World) throws {
        var implementations = SimulatedImplementations()
        implementations.mayDeliver = { _ in true }
        #expect(try isNoticed(in: [world], implementations))
    }

    @Test func aWithdrawalThatIsSkipped() throws {
        var implementations = SimulatedImplementations()
        implementations.withdrawal = { _ in nil }
        #expect(try isNoticed(in: [.localWithLostDisks], implementations))
    }

    @Test func aSecondWithdrawalThatIsSkipped() throws {
        var implementations = SimulatedImplementations()
        implementations.withdrawal = { $0.stage == .again ? nil : $0 }
        #expect(try isNoticed(in: [.localWithZombies], implementations))
    }

    @Test func aRestorationWithoutANewLineage() throws {
        var implementations = SimulatedImplementations()
        implementations.restoration = { RestoredCopies(names: $0.names, lineage: nil) }
        #expect(try isNoticed(in: [.localWithLostDisks], implementations))
    }

    @Test func aRestorationThatForgetsTheLastDelta() throws {
        var implementations = SimulatedImplementations()
        implementations.restoration = { RestoredCopies(names: $0.names.count > 1 ? $0.names.dropLast() : $0.names, lineage: $0.lineage) }
        #expect(try isNoticed(in: [.sharedWithLostDisks], implementations))
    }

    @Test func aStoreInWhichACreateWinsOverWhatIsThere() throws {
        var implementations = SimulatedImplementations()
        implementations.createIsExclusive = false
        #expect(try isNoticed(in: [.sharedWithZombies, .localWithZombies], implementations))
    }
}
