import CheckpointStores
import Foundation
import TestSupport
import Testing

@Suite("The directory store: nothing in part, whatever a crash left")
struct DirectoryObjectStoreTests {
    private let fixture: StoreFixture
    private let root: String

    init() throws {
        fixture = try StoreFixture(.directory)
        root = fixture.objects.location
        try fixture.store.probe()
    }

    /// What a process that was killed leaves: before, while and after it wrote its file, and after it linked it.
    @Test func aCrashAtAnyStepLeavesNoObjectInPart() throws {
        let key = try ObjectKey("a/b")
        let whole: [UInt8] = Array("whole".utf8)
        for (step, leftover) in [[], Array(whole.prefix(2)), whole].enumerated() {
            try Data(leftover).write(to: URL(fileURLWithPath: "\(root)/.incoming/99-\(step)"))
            #expect(try fixture.objects.get(key, limit: 100) == nil)
            #expect(try fixture.objects.list(prefix: "", after: nil, limit: 10) == [])
        }
        try FileManager.default.createDirectory(atPath: "\(root)/a", withIntermediateDirectories: false)
        #expect(link("\(root)/.incoming/99-2", "\(root)/a/b") == 0)
        #expect(try fixture.objects.get(key, limit: 100) == whole)
        #expect(try fixture.objects.put(.bytes([1]), at: key, onlyIfAbsent: true) == .exists)
        #expect(try fixture.objects.put(.bytes([1]), at: key, onlyIfAbsent: false) == .created)
        #expect(try fixture.objects.get(key, limit: 100) == [1])
    }

    @Test func laterStoresRemoveLeftoversThatAreNobodysAnyMore() throws {
        let old = "\(root)/.incoming/99-old"
        let young = "\(root)/.incoming/99-young"
        for path in [old, young] { try Data([1]).write(to: URL(fileURLWithPath: path)) }
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -25 * 3600)], ofItemAtPath: old)
        _ = try DirectoryObjectStore(path: root).put(.bytes([1]), at: ObjectKey("a"), onlyIfAbsent: true)
        #expect(!FileManager.default.fileExists(atPath: old))
        #expect(FileManager.default.fileExists(atPath: young))
    }

    @Test func leavesNothingBehindItself() throws {
        for number in 0..<3 { _ = try fixture.objects.put(.bytes([1]), at: ObjectKey("a/\(number % 2)"), onlyIfAbsent: true) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/.incoming") == [])
    }

    /// A limit on the size of files looks like a full disk.
    @Test func aFullDiskIsToldAndLeavesNothing() throws {
        let key = try ObjectKey("a/full")
        let file = try fixture.file(String(repeating: "x", count: 100_000))
        let digest = ObjectDigest(bytes: 100_000, sha256: SHA256.of([UInt8](repeating: UInt8(ascii: "x"), count: 100_000)))
        _ = try fixture.objects.put(.file(path: file, digest), at: ObjectKey("a/before"), onlyIfAbsent: true)
        let target = fixture.directory.file("target")
        let (written, read) = try FileLimit.during(50_000) {
            (
                try StoreFixture.failure { _ = try fixture.objects.put(.file(path: file, digest), at: key, onlyIfAbsent: true) },
                try StoreFixture.failure { _ = try fixture.objects.download(ObjectKey("a/before"), into: target, limit: 1 << 20) }
            )
        }
        #expect(written?.kind == .retry)
        #expect(written?.message.contains("make room") == true)
        #expect(read?.kind == .retry)
        #expect(!FileManager.default.fileExists(atPath: target))
        #expect(try fixture.objects.get(key, limit: 100) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/.incoming") == [])
        #expect(try fixture.objects.put(.file(path: file, digest), at: key, onlyIfAbsent: true) == .created)
    }

    @Test func whatTheSystemForbidsIsDenied() throws {
        let error = try StoreFixture.failure {
            _ = try DirectoryObjectStore(path: "/sys/tidemark").put(.bytes([1]), at: ObjectKey("a"), onlyIfAbsent: true)
        }
        #expect(error?.kind == .denied)
        #expect(error?.message.contains("/sys/tidemark") == true)
    }

    @Test func aFileInTheWayIsInvalid() throws {
        let store = DirectoryObjectStore(path: try fixture.file("a file"))
        #expect(try StoreFixture.failure { _ = try store.put(.bytes([1]), at: ObjectKey("a"), onlyIfAbsent: true) }?.kind == .invalid)
    }

    @Test func aDirectoryThatIsNotThereIsAnEmptyStore() throws {
        let store = try CheckpointStore.open(location: fixture.directory.file("nothing"), job: "a", environment: [:])
        #expect(try store.newest() == nil)
        #expect(try store.tags() == [])
        #expect(!FileManager.default.fileExists(atPath: fixture.directory.file("nothing")), "reading writes nothing")
    }
}

/// This process's limit on the size of files, for a while.
enum FileLimit {
    static func during<Result>(_ bytes: UInt, _ body: () throws -> Result) throws -> Result {
        var before = rlimit()
        guard getrlimit(__rlimit_resource_t(1), &before) == 0 else { throw ChildProcessFailure() }
        var lowered = before
        lowered.rlim_cur = rlim_t(bytes)
        let handler = signal(SIGXFSZ, SIG_IGN)
        setrlimit(__rlimit_resource_t(1), &lowered)
        defer {
            setrlimit(__rlimit_resource_t(1), &before)
            signal(SIGXFSZ, handler)
        }
        return try body()
    }

    struct ChildProcessFailure: Error {}
}
