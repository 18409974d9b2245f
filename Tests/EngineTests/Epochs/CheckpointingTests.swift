import Engine
import TestSupport
import Testing

@Suite("Promise 5: what a worker decides about its checkpoints, and whether it may deliver")
struct CheckpointingTests {
    private let plan = RollbackPlan(stage: .due, lineage: Lineage(2), tables: [:])

    private func restored(isNew: Bool = false, epoch: UInt64 = 4, rollback: RollbackPlan? = nil) -> RestoredState {
        RestoredState(
            isNew: isNew, lineage: rollback?.lineage ?? .first, hashKey: .ofTests, epoch: Epoch(epoch), partitions: [:], tasks: [:],
            messages: [], outbox: [],
            rollback: rollback
        )
    }

    private func checkpointing(
        _ restored: RestoredState, _ standing: ArchiveStanding?, tables: [String] = [], durability: Durability = .local
    ) -> Checkpointing {
        Checkpointing(interval: .seconds(10), durability: durability, restored: restored, tables: tables, standing: standing, now: .zero)
    }

    private func published(_ epoch: UInt64) -> PublishedCheckpoint {
        PublishedCheckpoint(number: epoch, epoch: Epoch(epoch), addedBytes: 1, totalBytes: 1)
    }

    @Test func whatTheArchiveDoesNotHaveIsPublishedBeforeAnythingLeaves() {
        let nothing = ArchiveStanding(continues: nil, covered: nil)
        #expect(checkpointing(restored(isNew: true), nothing).first == .start)
        #expect(checkpointing(restored(rollback: plan), nothing).first == .takeover)
        #expect(checkpointing(restored(), ArchiveStanding(continues: Epoch(3), covered: Epoch(3))).first == nil)
        #expect(checkpointing(restored(), ArchiveStanding(continues: Epoch(3), covered: Epoch(3))).keepsChangesAfter == Epoch(3))
        #expect(checkpointing(restored(), nil).keepsChangesAfter == Epoch(4))
    }

    @Test func withoutTheArchiveAWorkerGoesOnOnlyWhereNobodyElseCanHaveTheJob() {
        func refusal(_ restored: RestoredState, _ durability: Durability, unasked: Bool = false) -> Checkpointing.Refusal? {
            Checkpointing.refusal(of: restored, durability: durability, mayBeginUnasked: unasked)
        }
        #expect(refusal(restored(), .local) == nil)
        #expect(refusal(restored(), .shared) == .sharedDurability)
        #expect(refusal(restored(isNew: true), .local) == .mayHaveToRestore)
        #expect(refusal(restored(isNew: true), .local, unasked: true) == nil)
        #expect(refusal(restored(rollback: plan), .local) == .takesOver)
    }

    @Test func rowsOfATableThatNoCheckpointKnowsWaitForOne() {
        func standing(_ tables: Set<String>) -> ArchiveStanding { ArchiveStanding(continues: Epoch(3), covered: Epoch(3), tables: tables) }
        #expect(checkpointing(restored(), standing(["a", "b"]), tables: ["a", "b"]).wait == .nothing)
        #expect(checkpointing(restored(), standing(["a"]), tables: ["a", "b"]).wait == .tables(["b"]))
        #expect(
            checkpointing(restored(), ArchiveStanding(continues: nil, covered: nil), tables: ["a"]).wait == .nothing,
            "it is published first")
        #expect(checkpointing(restored(), standing(["a"]), tables: ["a", "b"], durability: .shared).wait == .everything)
        // Without an answer: what was delivered before is known from then.
        let delivered = RestoredOutboxTable(table: "a", lastFrozen: BatchNumber(2), pending: [], undelivered: [])
        let state = RestoredState(
            isNew: false, lineage: Lineage(2), hashKey: .ofTests, epoch: Epoch(4), partitions: [:], tasks: [:], messages: [],
            outbox: [delivered],
            lineageEnds: ["b": [LineageEnd(lineage: .first, lastBatch: nil)]]
        )
        #expect(checkpointing(state, nil, tables: ["a", "b", "c"]).wait == .tables(["c"]))
    }

    @Test func whatWasRolledBackIsLookedForOnceMoreWithEachCheckpointUntilThatIsDone() {
        var checkpointing = checkpointing(restored(rollback: plan), ArchiveStanding(continues: nil, covered: nil))
        #expect(checkpointing.published(published(4), now: .zero).rollsBackAgain == nil, "the first rollback comes before it")
        #expect(checkpointing.dueRollback == plan)
        checkpointing.rolledBack()
        #expect(checkpointing.dueRollback == nil)
        let again = RollbackPlan(stage: .again, lineage: plan.lineage, tables: plan.tables)
        for (epoch, isDone) in [(5, false), (6, false), (7, true), (8, true)] as [(UInt64, Bool)] {
            #expect(checkpointing.next(now: .seconds(20 * Int(epoch)), epoch: Epoch(epoch), isUrgent: false) != nil)
            #expect(checkpointing.copied() == .interval)
            let noted = checkpointing.published(published(epoch), isRolledBackAgain: isDone, now: .seconds(20 * Int(epoch)))
            #expect(noted.keepsChangesAfter == Epoch(epoch))
            #expect(noted.rollsBackAgain == (isDone ? nil : again))
            #expect(noted.endsRollback == (epoch == 7))
        }
    }

    @Test func theLastCheckpointOfADrainIsADeltaWhereABaseIsDueAndTheNextRunMakesTheBase() {
        let base = 100 << 20
        for (deltas, bytes, regular, last) in [
            (3, base / 2, FinishedCheckpoint.Content.delta(after: Epoch(4)), FinishedCheckpoint.Content.delta(after: Epoch(4))),
            (3, base, .base, .delta(after: Epoch(4))), (3, 2 * base, .base, .base),
            (256, base / 2, .base, .delta(after: Epoch(4))), (512, base / 2, .base, .base),
        ] as [(Int, Int, FinishedCheckpoint.Content, FinishedCheckpoint.Content)] {
            let standing = ArchiveStanding(
                continues: Epoch(4), covered: Epoch(4), chain: CheckpointChain(baseBytes: base, deltas: deltas, deltaBytes: bytes))
            var running = checkpointing(restored(), standing)
            #expect(running.next(now: .seconds(10), epoch: Epoch(5), isUrgent: false) == regular)
            var drained = checkpointing(restored(), standing)
            #expect(drained.last(epoch: Epoch(5)) == last)
        }
    }

    @Test func aStateThatNoDeltaCanContinueGetsItsBaseAtOnce() {
        var checkpointing = checkpointing(restored(), ArchiveStanding(continues: Epoch(4), covered: Epoch(4)))
        #expect(checkpointing.next(now: .seconds(1), epoch: Epoch(4), isUrgent: false) == nil)
        checkpointing.beginsWithBase(now: .seconds(1))
        #expect(checkpointing.next(now: .seconds(1), epoch: Epoch(4), isUrgent: false) == .base)
        _ = checkpointing.copied()
        _ = checkpointing.published(published(4), now: .seconds(1))
        #expect(checkpointing.last(epoch: Epoch(5)) == .delta(after: Epoch(4)))
    }

    @Test func aFailureEndsTheWorkerOnlyWhenTheJobIsAnothers() {
        let held = ArchiveStanding(continues: Epoch(4), covered: Epoch(4))
        for (kind, goesOn, next) in [
            (FailureKind.retry, true, FinishedCheckpoint.Content.delta(after: Epoch(4))), (.corrupt, true, .base), (.fenced, false, nil),
            (.incompatible, false, nil),
        ] as [(FailureKind, Bool, FinishedCheckpoint.Content?)] {
            var checkpointing = checkpointing(restored(), held)
            #expect(checkpointing.next(now: .seconds(10), epoch: Epoch(5), isUrgent: false) == .delta(after: Epoch(4)))
            _ = checkpointing.copied()
            #expect(checkpointing.next(now: .seconds(20), epoch: Epoch(6), isUrgent: true) == nil, "one is under way")
            #expect(checkpointing.failed(kind, now: .seconds(10)) == goesOn)
            if goesOn { #expect(checkpointing.next(now: .seconds(12), epoch: Epoch(6), isUrgent: false) == next) }
        }
    }

    @Test func withSharedDurabilityOnlyAFreshAnswerLetsABatchLeave() {
        var standing = OwnershipStanding(durability: .shared, now: .zero)
        #expect(standing.mayDeliver(now: .seconds(2)) && !standing.mayDeliver(now: .seconds(3)))
        standing.failed(now: .seconds(3))
        #expect(!standing.mayDeliver(now: .seconds(4)))
        standing.confirmed(now: .seconds(5))
        #expect(standing.mayDeliver(now: .seconds(6)))
    }

    @Test func withLocalDurabilityAnArchiveThatIsDownHoldsNothingUp() {
        var standing = OwnershipStanding(durability: .local, now: .zero)
        standing.asks(now: .seconds(1))
        #expect(!standing.mayDeliver(now: .seconds(3)), "an answer may be on its way")
        #expect(standing.mayDeliver(now: .seconds(5)))
        standing.failed(now: .seconds(6))
        #expect(standing.mayDeliver(now: .seconds(10)) && !standing.mayDeliver(now: .seconds(12)))
    }
}
