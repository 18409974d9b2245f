import Engine
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A state says whether a start looked at its input")
struct InputLookTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// Opens, commits an epoch, and returns what a start knew before.
    private func run(_ version: Int, epoch: UInt64, looks: Bool) throws -> Int? {
        let store = try reopened(directory.path)
        let known = try store.inputLookedAtBy()
        if looks { store.noteInputLook() }
        _ = try store.open(PlainJob.topology(version: version))
        try store.commit(PlainJob.cut(epoch))
        return known
    }

    @Test func onlyAStartThatLookedIsRemembered() throws {
        #expect(try run(1, epoch: 1, looks: false) == nil)
        #expect(try run(2, epoch: 2, looks: false) == nil)
        #expect(try run(2, epoch: 3, looks: true) == nil)
        #expect(try run(2, epoch: 4, looks: false) == 2)
        #expect(try run(3, epoch: 5, looks: false) == 2)
        #expect(try run(3, epoch: 6, looks: false) == 2)
    }

    @Test func whatAnEarlierVersionWroteSinceWasNotLookedAt() throws {
        #expect(try run(1, epoch: 1, looks: false) == nil)
        #expect(try run(2, epoch: 2, looks: true) == nil)
        #expect(try run(1, epoch: 3, looks: false) == 2)
        #expect(try run(2, epoch: 4, looks: false) == nil)
        #expect(try run(2, epoch: 5, looks: false) == nil)
    }

    @Test func aJobThatCommittedNothingIsLookedAtAgain() throws {
        do {
            let store = try reopened(directory.path)
            store.noteInputLook()
            _ = try store.open(PlainJob.topology())
        }
        #expect(try reopened(directory.path).inputLookedAtBy() == nil)
    }

    @Test func aCheckpointCarriesIt() throws {
        let store = try reopened(directory.path)
        store.noteInputLook()
        _ = try store.open(PlainJob.topology())
        try store.keepChanges(after: Epoch(0))
        try store.commit(PlainJob.cut(1))
        try store.beginBase(at: directory.file("base.db"))
        while try store.stepBase() == nil {}
        try store.keepChanges(after: Epoch(1))
        try store.commit(PlainJob.cut(2))
        try #require(try store.writeDelta(after: Epoch(1), at: directory.file("delta.db")) != nil)
        _ = try StateDirectory(path: directory.file("restored"))
        let file = directory.file("restored/state.db")
        try StateAssembly.assemble(base: directory.file("base.db"), deltas: [directory.file("delta.db")], into: file)
        #expect(try reopened(directory.file("restored")).inputLookedAtBy() == 1)
    }
}
