import Engine
import Simulation
import SimulationWorlds
import TestSupport
import Testing

@Suite("The simulation notices every promise about checkpoints that is broken on purpose")
struct CheckpointMutationTests {
    /// Seeds tried until one shows the break.
    static let patience = 100 as UInt64

    private func isNoticed(
        in world: CheckpointedJob.World, finalizesEvery: Int? = nil, _ implementations: SimulatedImplementations,
        change: (inout SimulationPlan, inout CheckpointPlan) -> Void = { _, _ in }
    ) throws -> Bool {
        try (0..<CheckpointMutationTests.patience).contains { seed in
            let job = CheckpointedJob(world, seed: seed, finalizesEvery: finalizesEvery, change: change)
            return try !job.run(implementations).violations.isEmpty
        }
    }

    /// Every worker goes on when the next one has taken over, and can reach the store.
    private static func takingOver(_ plan: inout SimulationPlan, _ checkpoints: inout CheckpointPlan) {
        for life in checkpoints.lives.indices {
            checkpoints.lives[life].ending = .takeOver
            checkpoints.lives[life].takesOver = true
            checkpoints.lives[life].cutOff = .zero
        }
    }

    @Test func rowsThatLeaveBeforeTheirCheckpoint() throws {
        var implementations = SimulatedImplementations()
        implementations.coordinator = { BrokenCoordinator($0, .deliversBeforeTheCheckpoint) }
        #expect(try isNoticed(in: .sharedWithLostDisks, implementations))
    }

    @Test(arguments: [
        (BrokenArchive.Break.trustsAnUnknownAnswer, CheckpointedJob.World.sharedWithLostDisks), (.publishesLate, .sharedWithLostDisks),
        (.neverAsks, .sharedWithCutOffs),
    ])
    func archives(broken: BrokenArchive.Break, world: CheckpointedJob.World) throws {
        var implementations = SimulatedImplementations()
        implementations.archive = { BrokenArchive($0, broken) }
        #expect(try isNoticed(in: world, implementations))
    }

    @Test(arguments: [CheckpointedJob.World.localWithZombies, .sharedWithZombies])
    func aLostRaceThatIsIgnored(world: CheckpointedJob.World) throws {
        var implementations = SimulatedImplementations()
        implementations.archive = { BrokenArchive($0, .ignoresALostRace) }
        #expect(try isNoticed(in: world, implementations, change: CheckpointMutationTests.takingOver))
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
        #expect(try isNoticed(in: .localWithZombies, implementations, change: CheckpointMutationTests.takingOver))
    }
}
