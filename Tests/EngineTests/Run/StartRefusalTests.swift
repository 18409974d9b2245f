import TestSupport
import Testing

@testable import Engine

@Suite("A start that is only looked at finds what a start is refused for, and nothing else")
struct StartRefusalTests {
    /// Every case of `StartRefusal`; those of `unasked` each on its own.
    enum Kind: CaseIterable {
        case nothingToRepartition, nothingHasGrown, restoredWithoutStore, unaskedSharedDurability, unaskedMayHaveToRestore
        case unaskedTakesOver, partitionsDiffer, hasGrown, hasGrownUnevenly, twoStagesRead, endsUnknown, cannotRollBack, endedUnread
        case lastCheckpointMissing

        init(_ refusal: StartRefusal) {
            self =
                switch refusal {
                case .nothingToRepartition: .nothingToRepartition
                case .nothingHasGrown: .nothingHasGrown
                case .restoredWithoutStore: .restoredWithoutStore
                case .unasked(.sharedDurability, _): .unaskedSharedDurability
                case .unasked(.mayHaveToRestore, _): .unaskedMayHaveToRestore
                case .unasked(.takesOver, _): .unaskedTakesOver
                case .partitionsDiffer: .partitionsDiffer
                case .hasGrown: .hasGrown
                case .hasGrownUnevenly: .hasGrownUnevenly
                case .twoStagesRead: .twoStagesRead
                case .endsUnknown: .endsUnknown
                case .cannotRollBack: .cannotRollBack
                case .endedUnread: .endedUnread
                case .lastCheckpointMissing: .lastCheckpointMissing
                }
        }

        /// Of a run that has begun, so that nobody can look for them before.
        static let ofRuns: Set<Kind> = [.endedUnread, .lastCheckpointMissing]
    }

    /// What a test changes of a start that nothing is in the way of.
    struct Situation {
        let start: ScriptedStart
        var settings = RunSettings()
        var checkpoints: CheckpointRules? = CheckpointRules()
        var irrevocable: SinkName?
        var topology = StartRefusalTests.topology(readers: 1)

        /// What it was refused for: the first thing alone, or all that a look finds.
        func refusals() throws -> [Kind] {
            let restore = StateRestore(.newest, irrevocable: irrevocable)
            do {
                if start.isLookedAt { _ = try restore.choice(in: start) } else { try restore.run(in: start) }
                _ = try Startup(topology, settings, checkpoints: checkpoints, in: start).run()
            } catch let refusal as StartRefusal {
                return [Kind(refusal)]
            }
            return start.refused.map(Kind.init)
        }
    }

    private static func topology(readers: Int) -> Topology {
        let readers = (1...readers).map { number in
            Stage(StageName("reader\(number)"), topic: "topic") { setup in
                if number == 1 { _ = setup.messages(to: "messages") }
                return setup.decode(with: ClickDecoder())
            }
        }
        return Topology(job: "job", version: 1, stages: readers + [Stage("messages", partitions: 1) { $0.decode(with: ClickDecoder()) }])
    }

    private static func situation(_ kind: Kind, isLookedAt: Bool) -> Situation? {
        var situation = Situation(start: ScriptedStart(isLookedAt: isLookedAt))
        let start = situation.start
        switch kind {
        case .nothingToRepartition:
            start.restored = ScriptedStart.state(isNew: true)
            situation.settings.endsBeforeRepartition = true
        case .nothingHasGrown: situation.settings.endsBeforeRepartition = true
        case .restoredWithoutStore:
            start.restored = ScriptedStart.state(isNew: false, lineage: Lineage(2))
            situation.checkpoints = nil
        case .unaskedSharedDurability:
            start.archiveAnswers = false
            situation.checkpoints?.durability = .shared
        case .unaskedMayHaveToRestore:
            start.archiveAnswers = false
            start.restored = ScriptedStart.state(isNew: true)
        case .unaskedTakesOver:
            start.archiveAnswers = false
            start.restored = ScriptedStart.state(isNew: false, lineage: Lineage(2))
        case .partitionsDiffer: start.topics["topic"] = 1
        case .hasGrown: start.topics["topic"] = 4
        case .hasGrownUnevenly:
            start.topics["topic"] = 3
            situation.settings.endsBeforeRepartition = true
        case .twoStagesRead: situation.topology = topology(readers: 2)
        case .endsUnknown:
            start.endsAreKnown = false
            situation.settings.readsUntilEnd = true
        case .cannotRollBack:
            start.restored = ScriptedStart.state(isNew: true)
            start.checkpoint = RestorableCheckpoint(number: 3, epoch: Epoch(7), lineage: Lineage(2))
            situation.irrevocable = SinkName("kafka")
        case .endedUnread, .lastCheckpointMissing: return nil
        }
        return situation
    }

    @Test(arguments: Kind.allCases)
    func whatAStartIsRefusedForALookFinds(kind: Kind) throws {
        guard let run = StartRefusalTests.situation(kind, isLookedAt: false), let look = StartRefusalTests.situation(kind, isLookedAt: true)
        else {
            #expect(Kind.ofRuns.contains(kind))
            return
        }
        #expect(try run.refusals() == [kind])
        let found = try look.refusals()
        #expect(found.first == kind)
        // A look before a repartition sees that the topic has grown unevenly, and therefore nothing that may be read on.
        #expect(Set(found).subtracting([.nothingHasGrown]) == Set([kind]).subtracting([.nothingHasGrown]), "\(found)")
    }

    @Test func aLookTakesEveryStepOfAStartThatNothingIsInTheWayOf() throws {
        let (run, look) = (ScriptedStart(isLookedAt: false), ScriptedStart(isLookedAt: true))
        for start in [run, look] {
            start.restored = ScriptedStart.state(isNew: false, lineage: Lineage(2))
            #expect(try Situation(start: start).refusals() == [])
        }
        #expect(run.steps == ["claim", "publish", "sink", "roll back", "position"])
        #expect(look.steps == run.steps)
    }

    /// A look goes on behind a refusal, to whatever else is in the way.
    @Test func aLookFindsAllThatIsInTheWay() throws {
        var situation = Situation(start: ScriptedStart(isLookedAt: true))
        situation.start.archiveAnswers = false
        situation.start.topics["topic"] = 3
        situation.checkpoints?.durability = .shared
        #expect(try situation.refusals() == [.unaskedSharedDurability, .hasGrown])
        #expect(situation.start.steps == ["sink", "position"])
    }
}
