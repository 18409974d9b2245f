import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A hash key that is gone while ids are remembered under it is damage that is named, and no other one is drawn in its place")
struct MissingHashKeyTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    enum Ids: CaseIterable { case keyed, unkeyed, none }

    private static let topology = PlainJob.topology(
        version: 1,
        declarations: [
            StateDeclaration(
                schema: StateSchema(table: "ids", version: 1, key: .windowAndKey, hasTimer: false, fields: StoredIDs.fields),
                placement: .copiedByNumber)
        ])

    /// What is remembered of two ids, as a record.
    private static func record(_ ids: Ids) -> [UInt8] {
        let hashes = (ids == .keyed ? [1] : []) + (1...32).map { UInt8($0) }
        return [UInt8(hashes.count)] + hashes
    }

    /// Leaves a state of two epochs, the first of which remembers ids, with its base and the delta of its second.
    private func leave(_ ids: Ids, isCompacted: Bool) throws -> (base: String, delta: String) {
        var settings = SQLiteStateStore.Settings()
        if isCompacted { settings.compactionBytes = 1 }
        let store = try SQLiteStateStore(directory: directory.file("state"), settings: settings)
        _ = try store.open(MissingHashKeyTests.topology)
        try store.register(partitions: ["topic": 3, "second": 2])
        var changes = PlainChanges()
        if ids != .none { changes.stored = [(PlainChanges.windowKey(1_000, [0, 0, 0, 0]), MissingHashKeyTests.record(ids))] }
        try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("ids")])]))
        _ = try store.maintain(for: .seconds(60))
        #expect(try store.integer("SELECT count(*) FROM keyed") == (isCompacted && ids != .none ? 1 : 0))
        try store.beginBase(at: directory.file("base.db"))
        while try store.stepBase() == nil {}
        try store.keepChanges(after: Epoch(1))
        try store.commit(PlainJob.cut(2, [PlainJob.taskCut(PlainJob.task(0))]))
        _ = try #require(try store.writeDelta(after: Epoch(1), at: directory.file("delta.db")))
        return (directory.file("base.db"), directory.file("delta.db"))
    }

    private func removeKey(_ files: String...) throws {
        for file in files { try RawSQLite(file).execute("DELETE FROM meta WHERE name = 'hash_key'") }
    }

    private var stateFile: String { directory.file("state/state.db") }

    private func expectDamage(_ what: String, naming words: [String], _ body: () throws -> Void) {
        let error = #expect(throws: StateError.self, "\(what)") { try body() }
        let text = error.map { "\($0)" } ?? ""
        #expect(error?.kind == .corrupt && words.allSatisfy(text.contains), "\(what): \(text)")
    }

    @Test(arguments: [true, false])
    func aStateWithoutItIsRefusedAndKeepsWhatItHas(isCompacted: Bool) throws {
        _ = try leave(.keyed, isCompacted: isCompacted)
        _ = try reopened(directory.file("state")).open(MissingHashKeyTests.topology)
        try removeKey(stateFile)
        for _ in 0..<2 {
            let store = try reopened(directory.file("state"))
            expectDamage("a start", naming: ["lacks its entry 'hash_key'", "first.ids", stateFile]) {
                _ = try store.open(MissingHashKeyTests.topology)
            }
            expectDamage("a look before a start", naming: ["'hash_key'", "first.ids"]) {
                _ = try store.inspect(MissingHashKeyTests.topology)
            }
            #expect(try store.integer("SELECT count(*) FROM meta WHERE name = 'hash_key'") == 0, "none was drawn")
        }
        let reader = try StateReader(path: stateFile)
        expectDamage("verify", naming: ["'hash_key'", "first.ids"]) { try reader.checkFile() }
    }

    /// A state of a build that knew no key, or one that remembers nothing, begins with a new one.
    @Test(arguments: [Ids.unkeyed, .none], [true, false])
    func aStateThatHasNothingUnderItGetsOne(ids: Ids, isCompacted: Bool) throws {
        let files = try leave(ids, isCompacted: isCompacted)
        try removeKey(stateFile, files.base, files.delta)
        try StateReader(path: files.base).checkFile()
        try StateAssembly.assemble(base: files.base, deltas: [files.delta], into: directory.file("assembled.db"))
        try StateAssembly.assemble(base: files.base, deltas: [files.delta], into: directory.file("assembled.db"), hashKey: nil)
        _ = try reopened(directory.file("state")).open(MissingHashKeyTests.topology)
        #expect(try StateReader(path: stateFile).facts.hasHashKey)
    }

    /// As values that no key has, and a column that holds no text at all.
    @Test(arguments: ["''", "'secret'", "x'00112233445566778899aabbccddeeff'", "'0123456789ABCDEF0123456789abcdef'", "17"])
    func whatIsNoKeyIsDamageToAStart(value: String) throws {
        _ = try leave(.none, isCompacted: true)
        _ = try reopened(directory.file("state")).open(MissingHashKeyTests.topology)
        try RawSQLite(stateFile).execute("UPDATE meta SET value = \(value) WHERE name = 'hash_key'")
        let store = try reopened(directory.file("state"))
        expectDamage("a start", naming: ["'hash_key' is no key", stateFile]) { _ = try store.open(MissingHashKeyTests.topology) }
    }

    @Test(arguments: [true, false])
    func aCheckpointWithoutItIsRefused(isCompacted: Bool) throws {
        let (base, delta) = try leave(.keyed, isCompacted: isCompacted)
        let key = try #require(try HashKeyEntry(database: Database(unchanging: base)).read())
        let target = directory.file("assembled.db")
        expectDamage("a manifest that says none", naming: ["manifest says no hashKey", "first.ids", base]) {
            try StateAssembly.assemble(base: base, deltas: [delta], into: target, hashKey: nil)
        }
        try StateAssembly.assemble(base: base, deltas: [delta], into: target, hashKey: key)
        try removeKey(base, delta)
        expectDamage("files that no manifest is about", naming: ["lacks its entry 'hash_key'", "first.ids", base]) {
            try StateAssembly.assemble(base: base, deltas: [delta], into: directory.file("other.db"))
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file("other.db")))
        // Their manifest has it.
        try StateAssembly.assemble(base: base, deltas: [delta], into: target, hashKey: key)
        #expect(try HashKeyEntry(database: Database(unchanging: target)).read() == key)
    }
}
