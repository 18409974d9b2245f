import CSQLite
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A base is a consistent cut, whatever is committed, compacted and moved out of the log between its steps")
struct BaseTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func store(compactionBytes: Int = 20_000, logPages: Int = 40) throws -> SQLiteStateStore {
        var settings = SQLiteStateStore.Settings()
        (settings.compactionBytes, settings.compactionStep, settings.logPages) = (compactionBytes, 200, logPages)
        let store = try reopened(directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        return store
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func theCopyIsTheStateOfItsEpoch(seed: UInt64) throws {
        var history = RandomHistory(seed: 1_000 + seed)
        let store = try store()
        for _ in 0..<80 {
            try store.commit(history.cut(changes: 60, recordBytes: 900))
            _ = try store.maintain()
        }
        let path = store.exportDirectory + "/base"
        try store.beginBase(at: path)
        var epochs = 0
        var remaining = Int.max
        while true {
            if let facts = try store.stepBase(for: .zero, pages: Int32(1 + history.next(upTo: 6))) {
                #expect(facts.epoch == Epoch(history.epoch))
                break
            }
            let left = try #require(store.baseProgress).remaining
            // Pages that are added to the state file are to be copied too; but the copy never begins anew.
            #expect(left < remaining || left < remaining + 60)
            remaining = left
            for _ in 0..<history.next(upTo: 3) {
                epochs += 1
                try store.commit(history.cut(changes: 60, recordBytes: 900))
                _ = try store.maintain()
            }
            if history.next(upTo: 5) == 0 { try store.database.checkpointLog() }
        }
        #expect(epochs > 10)
        let original = try StateContents(of: store)
        let copy = try TemporaryDirectory()
        try StateAssembly.assemble(base: path, deltas: [], into: copy.file("state.db"))
        #expect(try StateContents(ofDirectory: copy.path) == original)
    }

    @Test func aCopyOfABusyStoreComesToItsEnd() throws {
        var history = RandomHistory(seed: 5)
        let store = try store()
        for _ in 0..<50 { try store.commit(history.cut(changes: 60, recordBytes: 900)) }
        try store.beginBase(at: store.exportDirectory + "/base")
        var steps = 0
        while try store.stepBase(for: .zero, pages: 8) == nil {
            steps += 1
            try store.commit(history.cut(changes: 60, recordBytes: 900))
            try store.database.checkpointLog()
            try #require(steps < 2_000, "neither commits nor moving the log into the file may begin the copy anew")
        }
        #expect(steps > 5)
    }

    @Test("a transaction that is undone after it spilled into the log leaves no trace in the copy")
    func whatWasUndoneIsNotInTheCopy() throws {
        var history = RandomHistory(seed: 6)
        let store = try store(compactionBytes: .max)
        for _ in 0..<30 { try store.commit(history.cut(changes: 60, recordBytes: 900)) }
        let path = store.exportDirectory + "/base"
        try store.beginBase(at: path)
        #expect(try store.stepBase(for: .zero, pages: 20) == nil)
        struct Undo: Error {}
        try store.database.execute("PRAGMA cache_size = 10")
        #expect(throws: Undo.self) {
            try store.database.transaction {
                try store.database.execute("UPDATE delta SET bytes = zeroblob(length(bytes))")
                throw Undo()
            }
        }
        while try store.stepBase(for: .zero, pages: 20) == nil {}
        let copy = try TemporaryDirectory()
        try StateAssembly.assemble(base: path, deltas: [], into: copy.file("state.db"))
        #expect(try StateContents(ofDirectory: copy.path) == StateContents(of: store))
    }

    @Test func theCopyOpensAnywhereWithoutALog() throws {
        var history = RandomHistory(seed: 7)
        let store = try store()
        for _ in 0..<20 { try store.commit(history.cut()) }
        let path = store.exportDirectory + "/base"
        try store.beginBase(at: path)
        while try store.stepBase() == nil {}
        let header = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(100)
        #expect(header[18] == 1 && header[19] == 1, "no write-ahead log")
        #expect(header[68..<72].elementsEqual([0x54, 0x49, 0x44, 0x45]))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.exportDirectory) == ["base"], "and no file beside it")
        #expect(chmod(path, 0o400) == 0)
        var handle: OpaquePointer?
        defer { sqlite3_close(handle) }
        #expect(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, nil) == SQLITE_OK)
        #expect(sqlite3_exec(handle, "SELECT count(*) FROM keyed", nil, nil, nil) == SQLITE_OK)
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.exportDirectory) == ["base"])
    }

    @Test func whatAnInterruptedExportLeftIsRemovedAtTheNextStart() throws {
        do {
            var history = RandomHistory(seed: 8)
            let store = try store()
            for _ in 0..<40 { try store.commit(history.cut(changes: 60, recordBytes: 900)) }
            try store.keepChanges(after: Epoch(0))
            try store.beginBase(at: store.exportDirectory + "/base")
            #expect(try store.stepBase(for: .zero, pages: 2) == nil)
            #expect(try store.beginDelta(after: Epoch(0), at: store.exportDirectory + "/delta"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.exportDirectory).sorted() == ["base", "delta"])
        }
        let store = try store()
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.exportDirectory).isEmpty)
    }

    @Test func aBaseThatIsCancelledIsGoneAndAnotherCanBegin() throws {
        var history = RandomHistory(seed: 9)
        let store = try store()
        for _ in 0..<40 { try store.commit(history.cut(changes: 60, recordBytes: 900)) }
        let path = store.exportDirectory + "/base"
        try store.beginBase(at: path)
        #expect(try store.stepBase(for: .zero, pages: 2) == nil)
        try store.cancelBase()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: StateError.self) { try store.stepBase() }
        try store.beginBase(at: path)
        while try store.stepBase(for: .zero, pages: 2) == nil { try store.commit(history.cut()) }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func aDirectoryThatCantBeWrittenIsSaid() throws {
        let store = try store()
        do {
            try store.beginBase(at: directory.file("none/base"))
            Issue.record("it was begun")
        } catch let error as StateError {
            #expect(error.kind == .invalid && error.message.contains("none/base"))
        }
    }
}
