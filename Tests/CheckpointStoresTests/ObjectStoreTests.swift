import CheckpointStores
import Foundation
import TestSupport
import Testing

@Suite("Object stores: whole objects or none, of many creates one wins")
struct ObjectStoreTests {
    @Test(arguments: StoreKind.allCases)
    func keepsWhatItWasGivenUnderAnyKey(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let names = ["plain", "a b+c", "~ü é", "100%", "%41", "semi;colon&and=equals", "quote'\"<>", "deep/er/still", "日本"]
        for name in names {
            #expect(try fixture.objects.put(.bytes(Array(name.utf8)), at: ObjectKey(name), onlyIfAbsent: true) == .created)
        }
        for name in names { #expect(try fixture.bytes(ObjectKey(name)) == Array(name.utf8), "\(name)") }
        #expect(try fixture.bytes(ObjectKey("absent")) == nil)
        let listed = try fixture.objects.list(prefix: "", after: nil, limit: 100)
        #expect(listed.map(\.key.text) == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(listed.map(\.bytes) == listed.map(\.key.text.utf8.count))
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        #expect(listed.allSatisfy { abs($0.modifiedAt - now) < 60_000 })
        for name in names { try fixture.objects.delete(ObjectKey(name)) }
        try fixture.objects.delete(ObjectKey("absent"))
        #expect(try fixture.objects.list(prefix: "", after: nil, limit: 100) == [])
    }

    @Test(arguments: StoreKind.allCases)
    func listsByPrefixInPages(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        for number in 10..<22 { _ = try fixture.objects.put(.bytes([1]), at: ObjectKey("a/n\(number)"), onlyIfAbsent: true) }
        for other in ["a/m", "a/o", "b/n10", "an"] { _ = try fixture.objects.put(.bytes([1]), at: ObjectKey(other), onlyIfAbsent: true) }
        var found: [String] = []
        var last: ObjectKey?
        while true {
            let page = try fixture.objects.list(prefix: "a/n", after: last, limit: 5)
            found += page.map(\.key.text)
            guard let end = page.last else { break }
            last = end.key
        }
        #expect(found == (10..<22).map { "a/n\($0)" })
    }

    @Test(arguments: StoreKind.allCases)
    func theNamesBeforeTheFirstSlashAreItsFolders(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        #expect(try fixture.objects.folders(limit: 10) == [])
        for key in ["a/1", "a/b/2", "a b/1", "b/1", "b/2", "file", "ä/1"] {
            _ = try fixture.objects.put(.bytes([1]), at: ObjectKey(key), onlyIfAbsent: true)
        }
        #expect(try fixture.objects.folders(limit: 10).sorted() == ["a", "a b", "b", "ä"].sorted())
        #expect(try fixture.objects.folders(limit: 2).count == 2)
    }

    @Test(arguments: StoreKind.allCases)
    func createsOnlyWhatIsAbsent(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let key = try ObjectKey("one")
        #expect(try fixture.objects.put(.bytes([1]), at: key, onlyIfAbsent: true) == .created)
        #expect(try fixture.objects.put(.bytes([2]), at: key, onlyIfAbsent: true) == .exists)
        #expect(try fixture.bytes(key) == [1])
        #expect(try fixture.objects.put(.bytes([3]), at: key, onlyIfAbsent: false) == .created)
        #expect(try fixture.bytes(key) == [3])
    }

    @Test("Of 32 concurrent creates one wins", arguments: StoreKind.allCases)
    func passesTheProbe(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        for _ in 0..<3 { try fixture.store.probe() }
        #expect(try fixture.objects.list(prefix: "", after: nil, limit: 10) == [])
    }

    @Test(arguments: StoreKind.allCases)
    func streamsLargeObjectsFromAndToFiles(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let content = (0..<5_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let source = fixture.directory.file("source")
        try Data(content).write(to: URL(fileURLWithPath: source))
        let digest = ObjectDigest(bytes: content.count, sha256: SHA256.of(content))
        let key = try ObjectKey("snapshots/large")
        #expect(try fixture.objects.put(.file(path: source, digest), at: key, onlyIfAbsent: true) == .created)
        #expect(try fixture.objects.download(key, into: nil, limit: digest.bytes) == digest)
        let copy = fixture.directory.file("copy")
        #expect(try fixture.objects.download(key, into: copy, limit: digest.bytes) == digest)
        #expect(FileManager.default.contents(atPath: copy) == Data(content))
        #expect(
            try StoreFixture.failure { _ = try fixture.objects.download(key, into: copy, limit: digest.bytes) }?.kind == .invalid,
            "nothing is overwritten")
        let absent = fixture.directory.file("absent")
        #expect(try fixture.objects.download(ObjectKey("snapshots/absent"), into: absent, limit: 100) == nil)
        #expect(!FileManager.default.fileExists(atPath: absent))
    }

    @Test(arguments: StoreKind.allCases)
    func refusesAFileThatIsNotWhatWasSaid(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let key = try ObjectKey("snapshots/changed")
        let file = try fixture.file("what it is now")
        for said in ["what it was then", "something shorter or longer"] {
            let digest = ObjectDigest(bytes: said.utf8.count, sha256: SHA256.of(Array(said.utf8)))
            let error = try StoreFixture.failure { _ = try fixture.objects.put(.file(path: file, digest), at: key, onlyIfAbsent: true) }
            #expect(error?.kind == .corrupt, "\(String(describing: error))")
            #expect(try fixture.bytes(key) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anObjectBeyondItsLimitIsDamage(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let key = try ObjectKey("long")
        _ = try fixture.objects.put(.bytes([UInt8](repeating: 1, count: 100_001)), at: key, onlyIfAbsent: true)
        let error = try StoreFixture.failure { _ = try fixture.objects.get(key, limit: 100_000) }
        #expect(error?.kind == .corrupt)
        #expect(error?.message.contains("long") == true)
    }

    @Test(arguments: ["", "/a", "a/", "a//b", "..", "a/../b", ".hidden", "a/.b", "new\nline", String(repeating: "x", count: 201)])
    func refusesKeysThatCouldLeadElsewhere(text: String) {
        #expect(throws: CheckpointError.self) { try ObjectKey(text) }
    }
}
