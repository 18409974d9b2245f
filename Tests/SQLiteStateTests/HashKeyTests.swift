import CSQLite
import Foundation
import TestSupport
import Testing

@testable import Engine
@testable import SQLiteState

@Suite("A job's hash key is drawn once, stays with its state wherever that goes, and is in no message")
struct HashKeyTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func execute(_ sql: String, in file: String) throws {
        var handle: OpaquePointer?
        try #require(sqlite3_open(file, &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    }

    /// The key that a start of the state in a directory finds.
    private func key(_ path: String) throws -> HashKey { try reopened(path).open(PlainJob.topology()).hashKey }

    private func commit(_ epochs: ClosedRange<UInt64>, to store: SQLiteStateStore) throws {
        for epoch in epochs {
            var changes = PlainChanges()
            changes.stored = [([UInt8(epoch)], [1])]
            try store.commit(PlainJob.cut(epoch, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
        }
    }

    private func base(of store: SQLiteStateStore, _ name: String) throws -> (file: String, facts: CheckpointFacts) {
        try store.beginBase(at: directory.file(name))
        while true { if let facts = try store.stepBase() { return (directory.file(name), facts) } }
    }

    /// A base of epoch 2 and a delta to epoch 4, and the key of their state.
    private func checkpoint() throws -> (base: String, delta: String, key: HashKey) {
        let store = try reopened(directory.path)
        let key = try store.open(PlainJob.topology()).hashKey
        try store.register(partitions: ["topic": 3, "second": 2])
        try store.keepChanges(after: Epoch(0))
        try commit(1...2, to: store)
        let base = try base(of: store, "base.db")
        try store.keepChanges(after: Epoch(2))
        try commit(3...4, to: store)
        let facts = try #require(try store.writeDelta(after: Epoch(2), at: directory.file("delta.db")))
        #expect(base.facts.hashKey == key && facts.hashKey == key, "what goes into the manifests")
        return (base.file, directory.file("delta.db"), key)
    }

    private func assemble(
        _ base: String, _ deltas: [String], as name: String = "assembled", beginning lineage: Lineage? = nil, key: HashKey? = nil
    ) throws -> String {
        _ = try StateDirectory(path: directory.file(name))
        try StateAssembly.assemble(base: base, deltas: deltas, into: directory.file("\(name)/state.db"), beginning: lineage, hashKey: key)
        return directory.file(name)
    }

    @Test func eachStateDrawsItsOwnAndKeepsIt() throws {
        let keys = try (0..<4).map { try key(directory.file("state-\($0)")) }
        #expect(Set(keys).count == 4)
        #expect(try (0..<4).map { try key(directory.file("state-\($0)")) } == keys)
    }

    @Test func aRestoredRewoundOrRepartitionedStateKeepsIt() throws {
        let (base, delta, key) = try checkpoint()
        #expect(try self.key(assemble(base, [])) == key)
        #expect(try self.key(assemble(base, [delta])) == key)
        #expect(try self.key(assemble(base, [delta], beginning: Lineage(2))) == key, "another lineage")
        let grown = try assemble(base, [delta], as: "grown")
        _ = try StateRepartition.perform(
            StateRepartition.Order(
                topic: nil, partitions: 6, places: .murmur2(.same), placements: ["first.keyed": .stays], isDrained: true),
            in: "\(grown)/state.db"
        )
        #expect(try StateReader(path: "\(grown)/state.db").facts.hasHashKey)
        #expect(try HashKeyEntry(database: Database(unchanging: "\(grown)/state.db")).read() == key)
        var salvage = try StateSalvage(base: base, into: directory.file("salvaged.db"))
        #expect(try salvage.apply(delta, named: "delta"))
        #expect(try HashKeyEntry(database: Database(unchanging: directory.file("salvaged.db"))).read() == key)
    }

    @Test func aStateOfAnEarlierBuildGetsOneWhenARunOpensIt() throws {
        let (base, delta, key) = try checkpoint()
        for file in [base, delta] { try execute("DELETE FROM meta WHERE name = 'hash_key'", in: file) }
        let state = try assemble(base, [delta])
        #expect(try !StateReader(path: "\(state)/state.db").facts.hasHashKey)
        do {
            let store = try reopened(state)
            #expect(try store.inspect(PlainJob.topology()) != nil)
            #expect(try store.integer("SELECT count(*) FROM meta WHERE name = 'hash_key'") == 0, "looking changes nothing")
        }
        let drawn = try self.key(state)
        #expect(try drawn != key && self.key(state) == drawn)
        // It is in the next delta, which goes on from files without one.
        let store = try reopened(state)
        _ = try store.open(PlainJob.topology())
        try store.keepChanges(after: Epoch(4))
        try commit(5...5, to: store)
        _ = try #require(try store.writeDelta(after: Epoch(4), at: directory.file("later.db")))
        #expect(try self.key(assemble(base, [delta, directory.file("later.db")], as: "again")) == drawn)
        #expect(try self.key(assemble(base, [delta], as: "adopted", key: drawn)) == drawn, "as the manifest says")
    }

    @Test func filesOfAnotherKeyAreRefused() throws {
        let (base, delta, key) = try checkpoint()
        let other = HashKey(first: 1, second: 2)
        let foreign = #expect(throws: StateError.self) { try assemble(base, [delta], key: other) }
        #expect(foreign?.kind == .corrupt)
        try execute("UPDATE meta SET value = '\(other.hex)' WHERE name = 'hash_key'", in: delta)
        let mixed = #expect(throws: StateError.self) { try assemble(base, [delta]) }
        #expect(mixed?.kind == .invalid && mixed?.message.contains("its hash_key is another") == true)
        for error in [foreign, mixed] { #expect(![key.hex, other.hex].contains { "\(error!)".contains($0) }) }
    }

    @Test(arguments: ["", "secret", "0123456789abcdef0123456789abcde", "0123456789ABCDEF0123456789abcdef"])
    func whatIsNoKeyIsDamageAndIsNotRepeated(value: String) throws {
        let (base, _, _) = try checkpoint()
        try execute("UPDATE meta SET value = '\(value)' WHERE name = 'hash_key'", in: base)
        let assembled = #expect(throws: StateError.self) { try assemble(base, []) }
        let read = #expect(throws: StateError.self) { try StateReader(path: base) }
        #expect(assembled?.kind == .corrupt && read?.kind == .corrupt)
        if !value.isEmpty { #expect(!"\(assembled!) \(read!)".contains(value)) }
    }
}
