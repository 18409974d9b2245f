import Engine
import Simulation
import SimulationWorlds
import TestSupport
import Testing

@Suite("The simulation notices every promise that is broken on purpose")
struct MutationTests {
    /// Seeds tried until one shows the break.
    static let patience = 300

    private func isNoticed(by implementations: SimulatedImplementations, _ jobs: [PurchaseJob] = [.windowed, .everything]) -> Bool {
        for seed in 0..<UInt64(MutationTests.patience) {
            for job in jobs where !SimulatedJob(job, seed: seed).run(implementations).violations.isEmpty { return true }
        }
        return false
    }

    @Test func promise1AStoreThatLosesItsLastCommit() {
        var implementations = SimulatedImplementations()
        implementations.store = { LosingStore($0) }
        #expect(isNoticed(by: implementations))
    }

    @Test func promise1AStoreThatLosesTheHashKey() {
        var implementations = SimulatedImplementations()
        implementations.store = { KeylessStore($0) }
        #expect((0..<20 as Range<UInt64>).contains { !SimulatedJob(.once, seed: $0).run(implementations).violations.isEmpty })
    }

    @Test(arguments: TearingStore.Part.allCases)
    func promise1AStoreThatCommitsInParts(part: TearingStore.Part) {
        var implementations = SimulatedImplementations()
        implementations.store = { TearingStore($0, without: part) }
        #expect(isNoticed(by: implementations))
    }

    @Test(arguments: BrokenRules.Break.allCases)
    func promises2And3DeliveryRules(broken: BrokenRules.Break) {
        var implementations = SimulatedImplementations()
        implementations.delivery = { BrokenRules($0, broken) }
        #expect(isNoticed(by: implementations))
    }

    @Test(arguments: BrokenCoordinator.Break.withoutCheckpoints)
    func promise1Coordinators(broken: BrokenCoordinator.Break) {
        var implementations = SimulatedImplementations()
        implementations.coordinator = { BrokenCoordinator($0, broken) }
        #expect(isNoticed(by: implementations))
    }

    @Test func aStoreThatSaysThatAllIsCompacted() {
        var implementations = SimulatedImplementations()
        implementations.store = { HastyStore($0) }
        #expect(isNoticed(by: implementations))
    }

    @Test func unbrokenPartsAreNotNoticed() {
        var implementations = SimulatedImplementations()
        implementations.store = { PassingStore($0) }
        for seed in 0..<20 as Range<UInt64> { #expect(SimulatedJob(.everything, seed: seed).run(implementations).violations == []) }
    }

    @Test func rowsAreComparedOneByOne() {
        let id = SinkBatchID(table: "t", lineage: .first, number: BatchNumber(1))
        func row(_ number: Int, _ text: String, _ batch: UInt64 = 1) -> SimulatedSink.Row {
            SimulatedSink.Row(
                batch: SinkBatchID(table: id.table, lineage: id.lineage, number: BatchNumber(batch)), row: number,
                layout: PurchaseJob.visitRows, values: [text]
            )
        }
        #expect(SimulationChecks.differences([row(0, "a"), row(1, "b")], ["visits b", "visits a"]).isEmpty)
        #expect(SimulationChecks.differences([row(0, "a")], ["visits a", "visits a"]).count == 1, "a row that is missing")
        #expect(SimulationChecks.differences([row(0, "a"), row(1, "a")], ["visits a"]).count == 1, "a row that is there twice")
        #expect(
            SimulationChecks.differences([row(0, "a"), row(0, "b")], ["visits a", "visits b"]).count == 1, "a name that is used twice")
        #expect(
            SimulationChecks.differences([row(0, "a"), row(0, "b", 3)], ["visits a", "visits b"]).count == 1, "a number that is skipped")
    }
}
