import Engine
import Simulation
import SimulationWorlds
import TestSupport
import Testing

@Suite("The simulation notices every promise about checkpoints that is broken on purpose")
struct CheckpointMutationTests {
    /// Seeds tried until one shows the break.
    static let patience = 300

    /// `first`: a seed known to show it, so that it need not be looked for each time.
    private func isNoticed(
        in world: CheckpointedJob.World, from first: UInt64 = 0, finalizesEvery: Int? = nil, _ implementations: SimulatedImplementations
    ) throws -> Bool {
        for seed in first..<first + UInt64(CheckpointMutationTests.patience) {
            if try !CheckpointedJob(world, seed: seed, finalizesEvery: finalizesEvery).run(implementations).violations.isEmpty {
                // To be written down as the first one, where that is far off.
                if seed > first { print("\(world): noticed with seed \(seed)") }
                return true
            }
        }
        return false
    }

    @Test func rowsThatLeaveBeforeTheirCheckpoint() throws {
        var implementations = SimulatedImplementations()
        implementations.coordinator = { BrokenCoordinator($0, .deliversBeforeTheCheckpoint) }
        #expect(try isNoticed(in: .sharedWithLostDisks, implementations))
    }

    @Test(
        arguments: [
            (BrokenArchive.Break.ignoresALostRace, CheckpointedJob.World.localWithZombies, 237),
            (.ignoresALostRace, .sharedWithZombies, 21),
            (.neverAsks, .sharedWithZombies, 244), (.trustsAnUnknownAnswer, .sharedWithLostDisks, 0),
            (.publishesLate, .sharedWithLostDisks, 0),
        ] as [(BrokenArchive.Break, CheckpointedJob.World, UInt64)])
    func archives(broken: BrokenArchive.Break, world: CheckpointedJob.World, seed: UInt64) throws {
        var implementations = SimulatedImplementations()
        implementations.archive = { BrokenArchive($0, broken) }
        #expect(try isNoticed(in: world, from: seed, implementations))
    }

    @Test func aRollbackThatIsSkipped() throws {
        var implementations = SimulatedImplementations()
        implementations.rollback = { _ in nil }
        #expect(try isNoticed(in: .localWithLostDisks, implementations))
    }

    @Test func aRestorationWithoutANewLineage() throws {
        var implementations = SimulatedImplementations()
        implementations.restoration = { RestoredCopies(names: $0.names, lineage: nil, tables: $0.tables) }
        #expect(try isNoticed(in: .localWithLostDisks, implementations))
    }

    @Test func aRestorationThatForgetsTheLastDelta() throws {
        var implementations = SimulatedImplementations()
        implementations.restoration = {
            RestoredCopies(names: $0.names.count > 1 ? $0.names.dropLast() : $0.names, lineage: $0.lineage, tables: $0.tables)
        }
        #expect(try isNoticed(in: .sharedWithLostDisks, implementations))
    }

    @Test(arguments: [ChangeAtRest.none, .changed])
    func aCheckpointOfBeforeThatIsPublishedOnceMore(taken: ChangeAtRest) throws {
        var implementations = SimulatedImplementations()
        implementations.changeAtRest = { _ in taken }
        #expect(try isNoticed(in: .sharedWithLostDisks, finalizesEvery: 2, implementations))
    }

    @Test func aStoreInWhichACreateWinsOverWhatIsThere() throws {
        var implementations = SimulatedImplementations()
        implementations.createIsExclusive = false
        #expect(try isNoticed(in: .localWithZombies, from: 237, implementations))
    }
}
