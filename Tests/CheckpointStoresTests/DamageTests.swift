import CheckpointStores
import Engine
import Foundation
import TestSupport
import Testing

@Suite("Damage: no byte of a checkpoint can change without being noticed")
struct DamageTests {
    private let fixture: StoreFixture
    private let manifest: Manifest

    init() throws {
        fixture = try StoreFixture(.directory)
        manifest = try fixture.publishDelta(epoch: 5, after: fixture.publishBase(epoch: 3, after: nil))
    }

    /// The checkpoint's objects and its manifest.
    private func keys() throws -> [ObjectKey] { try manifest.objects.map { try fixture.key($0.key) } + [fixture.manifestKey(2)] }

    /// What a restore does.
    private func readAll() throws {
        let target = try TemporaryDirectory("tidemark-fetched")
        guard let newest = try CheckpointStore(objects: fixture.objects, job: fixture.store.job).newest() else { return }
        _ = try fixture.store.fetch(newest, into: target.path)
    }

    private func verifyAll() throws {
        guard case .manifest(let manifest)? = try fixture.store.manifest(ManifestNumber(2)) else { return }
        try fixture.store.verify(manifest, deep: true)
    }

    private func expectRefusal(_ key: ObjectKey, _ what: String, by readers: [() throws -> Void]? = nil) throws {
        for reader in readers ?? [readAll, verifyAll] {
            let error = try StoreFixture.failure { try reader() }
            #expect(error?.kind == .corrupt && error?.message.contains(key.text) == true, "\(key), \(what): \(String(describing: error))")
        }
    }

    @Test func everyFlippedByteIsRefusedNamingTheObject() throws {
        try readAll()
        try verifyAll()
        for key in try keys() {
            let whole = try #require(try fixture.bytes(key))
            for index in whole.indices {
                for flip in [UInt8(0x01), 0x20, 0xFF] {
                    var damaged = whole
                    damaged[index] ^= flip
                    try Data(damaged).write(to: URL(fileURLWithPath: "\(fixture.objects.location)/\(key)"))
                    try expectRefusal(key, "byte \(index) ^ \(flip)", by: flip == 0x01 ? nil : [verifyAll])
                }
            }
            try fixture.replace(key, by: whole)
        }
        try readAll()
    }

    @Test func everyCutIsRefusedNamingTheObject() throws {
        for key in try keys() {
            let whole = try #require(try fixture.bytes(key))
            for length in 0..<whole.count {
                try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: "\(fixture.objects.location)/\(key)"))
                try expectRefusal(key, "cut to \(length) bytes")
            }
            try Data(whole + [10]).write(to: URL(fileURLWithPath: "\(fixture.objects.location)/\(key)"))
            try expectRefusal(key, "a byte too many")
            try fixture.replace(key, by: whole)
        }
    }

    /// What a newer version wrote is whole: nobody goes back behind it unasked.
    @Test func theSearchStopsAtANewerVersionsManifest() throws {
        let zeros = String(repeating: "0", count: 64)
        let text = #"{"checksum":"\#(zeros)","format":2,"minimumReader":2,"number":3}"# + "\n"
        try fixture.replace(fixture.manifestKey(3), by: Array(text.replacing(zeros, with: SHA256.of(Array(text.utf8)).hex).utf8))
        let store = try CheckpointStore(objects: fixture.objects, job: fixture.store.job)
        #expect(try StoreFixture.failure { _ = try store.newestVerified(deep: true) { _, _ in } }?.kind == .incompatible)
        let parent = try #require(try store.newestLink())
        var draft = fixture.draft(epoch: 8, after: nil)
        draft.parent = parent
        let base = NewObject(kind: .base, file: try fixture.file("base"), epoch: Epoch(8))
        #expect(try StoreFixture.failure { _ = try store.publish(draft, files: [base]) }?.kind == .incompatible)
    }

    @Test func aMissingObjectIsRefusedNamingIt() throws {
        for key in try manifest.objects.map({ try fixture.key($0.key) }) {
            let whole = try #require(try fixture.bytes(key))
            try fixture.objects.delete(key)
            try expectRefusal(key, "removed")
            #expect(try StoreFixture.failure { try fixture.store.verify(manifest, deep: false) }?.kind == .corrupt)
            try fixture.replace(key, by: whole)
        }
    }

    @Test func aFailedFetchLeavesNoFiles() throws {
        try fixture.replace(try keys()[1], by: [1, 2, 3])
        let target = try TemporaryDirectory("tidemark-fetched")
        #expect(try StoreFixture.failure { _ = try fixture.store.fetch(manifest, into: target.path) }?.kind == .corrupt)
        #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == [])
    }

    @Test func theNewestThatVerifiesIsFoundAndTheOthersSayWhyNot() throws {
        let third = try fixture.publishBase(epoch: 7, after: manifest)
        let fourth = try fixture.publishBase(epoch: 9, after: third)
        try fixture.objects.delete(fixture.key(fourth.objects[0].key))
        try fixture.replace(fixture.manifestKey(3), by: Array("{}\n".utf8))
        var refused: [String] = []
        let found = try fixture.store.newestVerified(deep: true) { refused.append("\($0) \($1.kind) \($1.message)") }
        #expect(found == manifest)
        #expect(refused.count == 2)
        #expect(refused.first?.hasPrefix("4 corrupt") == true && refused.first?.contains(fourth.objects[0].key) == true)
        #expect(refused.last?.hasPrefix("3 corrupt") == true)
    }

    /// A damaged newest manifest doesn't stop the job: the next one is published after it all the same.
    @Test func theJobGoesOnAfterADamagedNewestManifest() throws {
        try fixture.replace(fixture.manifestKey(2), by: Array("damaged".utf8))
        let reader = try CheckpointStore(objects: fixture.objects, job: fixture.store.job)
        #expect(try StoreFixture.failure { _ = try reader.newest() }?.kind == .corrupt)
        let link = try #require(try reader.newestLink())
        var draft = fixture.draft(epoch: 8, after: nil)
        draft.parent = link
        let base = NewObject(kind: .base, file: try fixture.file("base"), epoch: Epoch(8))
        let published = try reader.publish(draft, files: [base])
        #expect(published.number == ManifestNumber(3))
        try reader.verify(published, deep: true)
        try reader.verifyChain(published)
        try reader.discard(ManifestNumber(2))
        try reader.verifyChain(published)
        #expect(try reader.liveNumbers() == [3, 1].map { ManifestNumber($0) })
    }
}
