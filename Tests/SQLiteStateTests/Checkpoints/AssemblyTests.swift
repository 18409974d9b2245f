import Engine
import Simulation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 1: a base and the deltas after it give exactly the state that they were taken of")
struct AssemblyTests {
    private func settings(_ history: inout RandomHistory) -> SQLiteStateStore.Settings {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 1 + history.next(upTo: 4_000)
        settings.compactionStep = 1 + history.next(upTo: 100)
        settings.logPages = 1 + history.next(upTo: 50)
        settings.ledgerKeepMilliseconds = 2_000
        return settings
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func randomHistoriesComeBackFromTheirCheckpoints(seed: UInt64) throws {
        var history = RandomHistory(seed: seed)
        let directory = try TemporaryDirectory()
        var chain: (base: String, deltas: [String], epoch: Epoch)?
        var compared = 0
        var (deltas, bases) = (0, 0)
        while compared < 6 {
            let store = try reopened(directory.path, settings: settings(&history))
            _ = try store.open(PlainJob.topology())
            if history.epoch == 0 { try store.register(partitions: ["topic": 3, "second": 2]) }
            try store.keepChanges(after: chain?.epoch)
            for _ in 0..<3 {
                for _ in 0..<history.next(upTo: 40) {
                    try store.commit(history.cut())
                    _ = try store.maintain()
                    if history.next(upTo: 10) == 0 { try store.exclusively { try store.pruneLedgers() } }
                }
                if history.epoch == 0 { continue }
                if let known = chain, history.next(upTo: 4) > 0 {
                    let path = directory.file("delta-\(compared)")
                    let facts = try #require(try store.writeDelta(after: known.epoch, at: path))
                    chain = (known.base, known.deltas + [path], facts.epoch)
                    deltas += 1
                } else {
                    let path = directory.file("base-\(compared)")
                    chain = (path, [], try takeBase(store, path, &history))
                    bases += 1
                }
                let taken = chain!
                try store.keepChanges(after: taken.epoch)
                let copy = try TemporaryDirectory()
                let facts = try StateAssembly.assemble(base: taken.base, deltas: taken.deltas, into: copy.file("state.db"))
                #expect(try facts == store.checkpointFacts())
                let original = try StateContents(of: store)
                let restored = try StateContents(ofDirectory: copy.path)
                #expect(restored.ledgersIn(original) == original)
                #expect(original.offsets.isEmpty || restored.offsets.suffix(original.offsets.count) == original.offsets[...])
                compared += 1
            }
        }
        #expect(deltas > 0 && bases > 0)
    }

    /// A base in small steps, with epochs between them.
    private func takeBase(_ store: SQLiteStateStore, _ path: String, _ history: inout RandomHistory) throws -> Epoch {
        try store.keepChanges(after: Epoch(history.epoch))
        try store.beginBase(at: path)
        while true {
            if let facts = try store.stepBase(for: .zero, pages: Int32(1 + history.next(upTo: 8))) {
                #expect(facts.epoch == Epoch(history.epoch))
                return facts.epoch
            }
            try store.commit(history.cut())
            _ = try store.maintain()
        }
    }

    @Test func aRestoredStateGoesOnWithDeltasAfterTheCheckpoint() throws {
        var history = RandomHistory(seed: 77)
        let first = try TemporaryDirectory()
        let second = try TemporaryDirectory()
        let third = try TemporaryDirectory()
        let base = first.file("base")
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 500
        do {
            let store = try SQLiteStateStore(directory: first.path, settings: settings)
            _ = try store.open(PlainJob.topology())
            for _ in 0..<50 { try store.commit(history.cut()) }
            _ = try takeBase(store, base, &history)
        }
        try StateAssembly.assemble(base: base, deltas: [], into: second.file("state.db"))
        let restored = try SQLiteStateStore(directory: second.path, settings: settings)
        let found = try restored.open(PlainJob.topology())
        try restored.keepChanges(after: found.epoch)
        for _ in 0..<50 {
            try restored.commit(history.cut())
            _ = try restored.maintain()
        }
        let delta = first.file("delta")
        #expect(try restored.writeDelta(after: found.epoch, at: delta) != nil)
        try StateAssembly.assemble(base: base, deltas: [delta], into: third.file("state.db"))
        #expect(try StateContents(ofDirectory: third.path) == StateContents(of: restored))
    }
}
