import CheckpointStores
import Engine
import SQLiteState
import TestSupport
import Testing

@Suite("What was done to a state between two epochs is in the next checkpoint: what keeps a version of the job out keeps it out there")
struct ChangeAtRestTests {
    private let run: VisitRun

    init() throws { run = try VisitRun(values: VisitRun.visits(200)) }

    /// The same job under a higher version, in which no table changed.
    private let renumbered = Topology(job: VersionedJob.job, version: 2, stages: VersionedJob.topology(1).stages)

    private func newest() throws -> ManifestNumber { try #require(try run.checkpoints().newestNumber()) }

    /// Starts a worker and drains it at once.
    private func startAndDrain(_ topology: Topology, dropping: [String] = []) throws {
        let running = try run.worker(topology, archiving: true, dropping: dropping)
        try waitUntil("the worker is at work") { running.status.phase == .running }
        running.drain()
        #expect(try running.wait() == .complete)
    }

    /// All checkpoints after this one, oldest first, each with what a start of `topology` would find in it.
    private func found(after number: ManifestNumber, by topology: Topology) throws -> [(
        manifest: Manifest, state: SQLiteStateStore.InspectedState
    )] {
        let store = try run.checkpoints()
        return try store.liveCheckpoints().map { try $0.manifest.get() }.filter { $0.number > number }.reversed().map { manifest in
            let directory = try TemporaryDirectory()
            let fetched = try store.fetch(manifest, into: directory.path)
            try StateAssembly.assemble(base: fetched.base, deltas: fetched.deltas, into: directory.file("state.db"))
            return (manifest, try #require(try SQLiteStateStore(directory: directory.path).inspect(topology)))
        }
    }

    private func expectNoneLetsIn(_ topology: Topology, after number: ManifestNumber, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let found = try found(after: number, by: topology)
        #expect(!found.isEmpty, sourceLocation: sourceLocation)
        for checkpoint in found {
            #expect(
                checkpoint.state.compatibility.refusal != nil, "checkpoint \(checkpoint.manifest.number), \(checkpoint.manifest.reason)",
                sourceLocation: sourceLocation)
        }
        #expect(found.first?.manifest.objects.count == 1, "the first is a base", sourceLocation: sourceLocation)
    }

    @Test func afterFinalizeNoCheckpointLetsTheVersionBeforeIn() throws {
        try run.drained(1, through: 60, archiving: true)
        try run.drained(2, through: 120, archiving: true)
        #expect(
            try found(after: ManifestNumber(1), by: VersionedJob.topology(1)).last?.state.compatibility.refusal == nil,
            "until then it may come back")
        let before = try newest()
        _ = try run.openStore().finalize(VersionedJob.topology(2))
        try startAndDrain(VersionedJob.topology(2))
        try expectNoneLetsIn(VersionedJob.topology(1), after: before)
    }

    @Test func afterFinalizeOfAStateInWhichOnlyVersionsChangedNoCheckpointLetsTheVersionBeforeIn() throws {
        try run.drained(1, through: 60, archiving: true)
        try startAndDrain(renumbered)
        let before = try newest()
        _ = try run.openStore().finalize(renumbered)
        try startAndDrain(renumbered)
        try expectNoneLetsIn(VersionedJob.topology(1), after: before)
    }

    @Test func afterATableWasDroppedNoCheckpointLetsTheVersionBeforeIn() throws {
        try run.drained(1, through: 60, archiving: true)
        let before = try newest()
        try startAndDrain(VersionedJob.topology(2), dropping: ["gone"])
        try expectNoneLetsIn(VersionedJob.topology(1), after: before)
    }

    @Test func aDrainRightAfterAMigrationLeavesTheMigratedStateInItsCheckpoint() throws {
        for topology in [renumbered, VersionedJob.topology(2)] {
            let run = try ChangeAtRestTests()
            try run.run.drained(1, through: 60, archiving: true)
            let before = try run.newest()
            try run.startAndDrain(topology)
            let last = try #require(try run.found(after: before, by: topology).last)
            #expect(last.manifest.reason == .drain && last.manifest.jobVersion == 2)
            #expect(
                last.state.compatibility.tables.allSatisfy { [.keep, .ignore].contains($0.action) }, "\(last.state.compatibility.tables)")
            #expect(try run.found(after: before, by: VersionedJob.topology(1)).last?.state.compatibility.refusals == [])
        }
    }

    @Test func whatWasMadeFinalWhileTheStoreWasAwayIsInTheFirstCheckpointAfterIt() throws {
        try run.drained(1, through: 60, archiving: true)
        try run.drained(2, through: 120, archiving: true)
        let before = try newest()
        _ = try run.openStore().finalize(VersionedJob.topology(2))
        // A start that dies before its first checkpoint.
        _ = try run.openStore().open(VersionedJob.topology(2))
        try startAndDrain(VersionedJob.topology(2))
        try expectNoneLetsIn(VersionedJob.topology(1), after: before)
    }

    @Test func whatWasMadeFinalBeforeAnEpochThatNoCheckpointHasIsInTheFirstCheckpointAfterIt() throws {
        try run.drained(1, through: 60, archiving: true)
        try run.drained(2, through: 120, archiving: true)
        let before = try newest()
        _ = try run.openStore().finalize(VersionedJob.topology(2))
        // As `tidemark resolve` does, or a start that could not ask the store.
        do {
            let store = try run.openStore()
            let restored = try store.open(VersionedJob.topology(2))
            #expect(restored.changeAtRest == .supersedes)
            try store.commit(EpochCut(epoch: restored.epoch.next, tasks: [], frozen: [], delivered: [], wallClock: 0))
        }
        try startAndDrain(VersionedJob.topology(2))
        try expectNoneLetsIn(VersionedJob.topology(1), after: before)
        #expect(try run.openStore().open(VersionedJob.topology(2)).changeAtRest == .none, "the checkpoint is in the store")
    }

    @Test func anUpgradeThatDiedBeforeItsFirstEpochSupersedesNothing() throws {
        try run.drained(1, through: 60, archiving: true)
        for _ in 0..<2 { #expect(try run.openStore().open(VersionedJob.topology(2)).changeAtRest == .changed) }
    }

    @Test func aStateThatNothingWasDoneToGoesOnWithDeltas() throws {
        try run.drained(1, through: 60, archiving: true)
        try run.drained(2, through: 120, archiving: true)
        _ = try run.openStore().finalize(VersionedJob.topology(2))
        try run.drained(2, through: 160, archiving: true)
        let before = try newest()
        try run.drained(2, through: 200, archiving: true)
        let last = try #require(try run.checkpoints().newest())
        #expect(last.number > before && last.objects.count == 3, "\(last.objects)")
    }
}
