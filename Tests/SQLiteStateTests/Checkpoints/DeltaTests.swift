import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Changes are kept for the next delta, within a limit, and cost nothing where none is wanted")
struct DeltaTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func store(_ change: (inout SQLiteStateStore.Settings) -> Void = { _ in }) throws -> SQLiteStateStore {
        var settings = SQLiteStateStore.Settings()
        (settings.compactionBytes, settings.compactionStep) = (5_000, 50)
        change(&settings)
        let store = try reopened(directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        return store
    }

    private func run(_ store: SQLiteStateStore, _ history: inout RandomHistory, epochs: Int) throws {
        for _ in 0..<epochs {
            try store.commit(history.cut())
            _ = try store.maintain()
        }
    }

    @Test func withoutCheckpointsCompactedDeltasAreGoneAtOnce() throws {
        var history = RandomHistory(seed: 1)
        let store = try store()
        var most: Int64 = 0
        for _ in 0..<100 {
            try run(store, &history, epochs: 1)
            most = max(most, try store.integer("SELECT coalesce(sum(length(bytes)), 0) FROM delta"))
        }
        #expect(most < 15_000)
        #expect(try store.integer("SELECT count(*) FROM fold_mark") == 0)
        #expect(try !store.keepsChanges(after: Epoch(0)))
        #expect(try store.writeDelta(after: Epoch(1), at: directory.file("delta")) == nil)
        #expect(!FileManager.default.fileExists(atPath: directory.file("delta")))
    }

    @Test func keptChangesSurviveARestart() throws {
        var history = RandomHistory(seed: 2)
        var contents: StateContents
        do {
            let store = try store()
            try store.keepChanges(after: Epoch(0))
            try run(store, &history, epochs: 60)
            contents = try StateContents(of: store)
        }
        let store = try store()
        #expect(try StateContents(of: store) == contents)
        try store.keepChanges(after: Epoch(0))
        try run(store, &history, epochs: 60)
        #expect(try store.keepsChanges(after: Epoch(0)))
        #expect(try store.integer("SELECT count(DISTINCT epoch) FROM delta") > 100)
        #expect(try store.integer("SELECT count(*) FROM fold_mark") > 0)
    }

    @Test func compactedDeltasThatAreKeptAreNotReadAgain() throws {
        var history = RandomHistory(seed: 12)
        var contents: StateContents
        do {
            let store = try store()
            try store.keepChanges(after: Epoch(0))
            try run(store, &history, epochs: 60)
            contents = try StateContents(of: store)
            try store.database.execute(
                """
                UPDATE delta SET bytes = zeroblob(9) WHERE epoch <= (SELECT through FROM fold_mark AS mark WHERE mark.task = delta.task AND mark.state_table = delta.state_table)
                """)
            #expect(try store.integer("SELECT changes()") > 10)
        }
        let store = try store { $0.compactionBytes = 1 }
        #expect(try StateContents(of: store) == contents)
        try run(store, &history, epochs: 1)
    }

    @Test func whatACheckpointHasTakenIsDroppedAFewBytesAtATime() throws {
        var history = RandomHistory(seed: 3)
        let store = try store { $0.compactionBytes = 1 }
        try store.keepChanges(after: Epoch(0))
        try run(store, &history, epochs: 100)
        let taken = Epoch(history.epoch)
        try store.keepChanges(after: taken)
        try run(store, &history, epochs: 2)
        #expect(try store.integer("SELECT min(epoch) FROM delta") > 100)
        #expect(try store.keepsChanges(after: taken) && !store.keepsChanges(after: Epoch(99)))
    }

    @Test func changesThatOutgrowTheLimitAreDroppedAndTheNextCheckpointIsABase() throws {
        var history = RandomHistory(seed: 4)
        let store = try store { $0.keepBytes = 30_000 }
        try store.keepChanges(after: Epoch(0))
        var most: Int64 = 0
        for _ in 0..<200 {
            try run(store, &history, epochs: 1)
            most = max(most, try store.integer("SELECT coalesce(sum(length(bytes)), 0) FROM delta"))
        }
        #expect(most > 30_000 && most < 60_000, "\(most)")
        #expect(try !store.keepsChanges(after: Epoch(0)))
        #expect(try !store.beginDelta(after: Epoch(0), at: directory.file("delta")))
        let contents = try StateContents(of: store)
        try store.keepChanges(after: Epoch(history.epoch))
        try run(store, &history, epochs: 20)
        #expect(try store.keepsChanges(after: contents.epoch), "kept again once a base was begun")
    }

    @Test func aDeltaInStepsEndsWithTheLastCommit() throws {
        var history = RandomHistory(seed: 5)
        let store = try store()
        let base = directory.file("base")
        try store.beginBase(at: base)
        let begun = try #require(try store.stepBase())
        try store.keepChanges(after: begun.epoch)
        try run(store, &history, epochs: 100)
        let path = directory.file("delta")
        #expect(try store.beginDelta(after: begun.epoch, at: path))
        var steps = 0
        var end: CheckpointFacts?
        while end == nil {
            // With no time at all a step copies nothing, so now and then one has some.
            end = try store.stepDelta(for: steps < 20 ? .microseconds(50) : .seconds(1))
            if end == nil { try run(store, &history, epochs: 1) }
            steps += 1
        }
        #expect(steps > 1 && end?.epoch == Epoch(history.epoch))
        let copy = try TemporaryDirectory()
        try StateAssembly.assemble(base: base, deltas: [path], into: copy.file("state.db"))
        #expect(try StateContents(ofDirectory: copy.path) == StateContents(of: store))
    }

    @Test func aDeltaThatIsOvertakenByTheLimitSaysSo() throws {
        var history = RandomHistory(seed: 6)
        let store = try store { $0.keepBytes = 30_000 }
        try store.keepChanges(after: Epoch(0))
        try run(store, &history, epochs: 10)
        let path = directory.file("delta")
        #expect(try store.beginDelta(after: Epoch(0), at: path))
        #expect(try store.stepDelta(for: .zero) == nil)
        try run(store, &history, epochs: 200)
        #expect(
            try store.integer("SELECT coalesce(sum(length(bytes)), 0) FROM delta") < 60_000,
            "a delta that nobody goes on with holds nothing back")
        do {
            _ = try store.stepDelta()
            Issue.record("it went on")
        } catch let error as StateError {
            #expect(error.kind == .retry && error.message.contains(path))
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func anAttachedDeltaDoesNotConfuseTheLog() throws {
        var history = RandomHistory(seed: 7)
        let store = try store { $0.compactionBytes = .max }
        try store.keepChanges(after: Epoch(0))
        try run(store, &history, epochs: 30)
        let pages = store.database.logPages
        #expect(pages > 0)
        _ = try store.writeDelta(after: Epoch(0), at: directory.file("delta"))
        #expect(store.database.logPages == pages)
        try store.database.checkpointLog()
        try run(store, &history, epochs: 1)
        #expect(store.database.logPages > 0 && store.database.logPages < pages)
    }
}
