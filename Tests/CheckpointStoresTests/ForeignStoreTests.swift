import CheckpointStores
import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Whoever stands behind a store's address can make it useless, and nothing else")
final class ForeignStoreTests {
    /// Servers end with the test.
    private var servers: [ScriptedHTTPServer] = []

    private func s3(_ reply: @escaping @Sendable (ScriptedHTTPServer.Request) -> ScriptedHTTPServer.Reply) throws -> (
        server: ScriptedHTTPServer, objects: S3ObjectStore
    ) {
        let server = try ScriptedHTTPServer(reply)
        servers.append(server)
        var settings = try S3Settings(
            location: "s3://bucket",
            environment: [
                "AWS_ENDPOINT_URL": "http://127.0.0.1:\(server.port)", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
            ]
        )
        settings.attempts = 2
        settings.firstPause = .milliseconds(1)
        return (server, S3ObjectStore(settings: settings))
    }

    private static func answer(_ body: String, status: String = "200 OK") -> ScriptedHTTPServer.Reply {
        .bytes("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    private static func listing(_ keys: [String], isTruncated: Bool) -> ScriptedHTTPServer.Reply {
        let entries = keys.map {
            "<Contents><Key>\($0)</Key><LastModified>2026-09-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
        }.joined()
        return answer("<ListBucketResult><IsTruncated>\(isTruncated)</IsTruncated>\(entries)</ListBucketResult>")
    }

    @Test func anObjectThatIsSentWithoutEndIsGivenUpAtItsSize() throws {
        let (_, objects) = try s3 { _ in
            .bytes("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n" + String(repeating: "x", count: 1 << 20))
        }
        let directory = try TemporaryDirectory("tidemark-stores")
        for file in [directory.file("a"), nil] {
            let error = try StoreFixture.failure { _ = try objects.download(ObjectKey("a"), into: file, limit: 1000) }
            #expect(error?.kind == .corrupt && error?.message.contains("s3://bucket/a") == true, "\(error.map { "\($0)" } ?? "nothing")")
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file("a")))
    }

    @Test func aStoreThatSaysYesToEveryManifestIsFoundOut() throws {
        let (server, objects) = try s3 { _ in ForeignStoreTests.answer("{}") }
        let store = try CheckpointStore(objects: objects, job: "a")
        let error = try StoreFixture.failure { _ = try store.newest() }
        #expect(error?.kind == .corrupt && error?.message.contains("s3://bucket/a") == true, "\(error.map { "\($0)" } ?? "nothing")")
        #expect(server.requests.count < 100)
    }

    @Test func aListingThatDoesNotGoOnIsRefused() throws {
        let count = Mutex(0)
        let replies: [@Sendable (ScriptedHTTPServer.Request) -> ScriptedHTTPServer.Reply] = [
            // The same page over and over, and a page that goes back.
            { _ in ForeignStoreTests.listing(["a/1", "a/2"], isTruncated: true) },
            { _ in ForeignStoreTests.listing(["a/2", "a/1"], isTruncated: true) },
            { _ in ForeignStoreTests.listing([], isTruncated: true) },
            { _ in ForeignStoreTests.listing(["b/1"], isTruncated: false) },
            { _ in ForeignStoreTests.listing((0..<2000).map { "a/\($0 + 10_000)" }, isTruncated: false) },
            { _ in
                ForeignStoreTests.answer(
                    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/1</Key><LastModified>2026-09-01T00:00:00.000Z</LastModified><Size>9223372036854775807</Size></Contents></ListBucketResult>"
                )
            },
        ]
        for reply in replies {
            count.withLock { $0 += 1 }
            let (server, objects) = try s3(reply)
            let error = try StoreFixture.failure { _ = try objects.list(prefix: "a/", after: nil, limit: 100_000) }
            #expect(error?.kind == .invalid, "\(count.withLock { $0 }): \(error.map { "\($0)" } ?? "nothing")")
            #expect(server.requests.count <= 3)
        }
    }

    @Test func pagesOfNamesThatAreNobodysKeysEnd() throws {
        let page = Mutex(0)
        let (_, objects) = try s3 { _ in
            let number = page.withLock { number in
                number += 1
                return number
            }
            // No key of ours has a part that begins with a dot.
            return ForeignStoreTests.listing(["a/.\(String(repeating: "0", count: 9 - String(number).count))\(number)"], isTruncated: true)
        }
        let error = try StoreFixture.failure { _ = try objects.list(prefix: "a/", after: nil, limit: 10) }
        #expect(error?.kind == .invalid && error?.message.contains("no end") == true, "\(error.map { "\($0)" } ?? "nothing")")
    }

    @Test func anErrorFullOfAmpersandsIsReadAtOnce() throws {
        let message = String(repeating: "&", count: 1 << 20)
        let (_, objects) = try s3 { _ in
            ForeignStoreTests.answer("<Error><Code>Odd</Code><Message>\(message)</Message></Error>", status: "400 Bad Request")
        }
        let start = ContinuousClock.now
        let error = try StoreFixture.failure { _ = try objects.get(ObjectKey("a"), limit: 10) }
        #expect(error?.kind == .invalid, "\(error.map { "\($0)" } ?? "nothing")")
        #expect(ContinuousClock.now - start < .seconds(5))
        let (_, named) = try s3 { _ in
            ForeignStoreTests.answer(
                "<Error><Code>Odd</Code><Message>&lt;a&gt; &#43; &#x42; &amp;amp; &unknown; &</Message></Error>", status: "400 Bad Request")
        }
        #expect(
            try StoreFixture.failure { _ = try named.get(ObjectKey("a"), limit: 10) }?.message.contains("<a> + B &amp; &unknown; &") == true
        )
    }

    // MARK: - A directory

    @Test func whatIsNoFileIsDamageAndIsNotWaitedFor() throws {
        let fixture = try StoreFixture(.directory)
        let root = fixture.objects.location
        let manifests = try fixture.publishDaily(2)
        let key = try fixture.manifestKey(2)
        let path = "\(root)/\(key.text)"
        let made: [(String, () -> Int32)] = [
            ("a pipe", { mkfifo(path, 0o600) }), ("a link to a device", { symlink("/dev/zero", path) }),
            ("a link to nothing", { symlink("/nothing", path) }),
            ("a link to a file", { symlink("\(root)/\(fixture.store.job)/manifests/00000000000000000001.json", path) }),
            ("a directory", { mkdir(path, 0o700) }),
        ]
        for (what, make) in made {
            try FileManager.default.removeItem(atPath: path)
            try #require(make() == 0)
            let error = try StoreFixture.failure { _ = try fixture.store.newest() }
            #expect(error?.kind == .corrupt && error?.message.contains(key.text) == true, "\(what): \(error.map { "\($0)" } ?? "nothing")")
            #expect(try fixture.store.liveNumbers().map(\.number) == [2, 1], "\(what): it hides no other")
            var refused: [UInt64] = []
            #expect(
                try fixture.store.newestVerified(deep: true) { number, _ in refused.append(number.number) }?.number == manifests[0].number,
                "\(what)")
            #expect(refused == [2])
        }
        // An object, too.
        let object = "\(root)/\(try fixture.key(manifests[0].objects[0].key).text)"
        for make in [{ mkfifo(object, 0o600) }, { symlink("/dev/zero", object) }] {
            try FileManager.default.removeItem(atPath: object)
            try #require(make() == 0)
            for deep in [false, true] {
                let error = try StoreFixture.failure { try fixture.store.verify(manifests[0], deep: deep) }
                #expect(error?.kind == .corrupt && error?.message.contains(manifests[0].objects[0].key) == true)
            }
        }
    }

    @Test func foldersThatLeadBackHaveAnEnd() throws {
        let fixture = try StoreFixture(.directory)
        _ = try fixture.publishDaily(1)
        let folder = "\(fixture.objects.location)/\(fixture.store.job)/tags"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try #require(symlink(folder, folder + "/again") == 0)
        #expect(try StoreFixture.failure { _ = try fixture.store.tags() }?.kind == .invalid)
    }

    @Test func aManifestThatIsTooLongIsDamageLikeAnyOther() throws {
        let fixture = try StoreFixture(.directory)
        let manifests = try fixture.publishDaily(2)
        let long = [UInt8](repeating: UInt8(ascii: " "), count: (16 << 20) + 1)
        try fixture.replace(fixture.manifestKey(2), by: long)
        #expect(try fixture.store.newestNumber()?.number == 2)
        #expect(try StoreFixture.failure { _ = try fixture.store.resolve(.latest) }?.kind == .corrupt)
        var refused: [UInt64] = []
        #expect(try fixture.store.newestVerified(deep: true) { number, _ in refused.append(number.number) }?.number == manifests[0].number)
        #expect(refused == [2])
        let link = try #require(try fixture.store.newestLink())
        #expect(link == ManifestLink(number: ManifestNumber(2), sha256: SHA256.of(long)))
        // A writer goes on after it, and then it can be discarded.
        var draft = fixture.draft(epoch: 3, after: manifests[1])
        draft.parent = link
        let next = try fixture.store.publish(draft, files: [NewObject(kind: .base, file: try fixture.file("base of 3"), epoch: Epoch(3))])
        #expect(next.number.number == 3)
        try fixture.store.discard(ManifestNumber(2))
        #expect(try fixture.store.liveNumbers().map(\.number) == [3, 1])
    }

    @Test func anObjectWithAStrangeNameHidesNoTagAndIsToldOnce() throws {
        let told = Mutex<[String]>([])
        let fixture = try StoreFixture(.directory)
        let store = try CheckpointStore(objects: fixture.objects, job: fixture.store.job) { finding in told.withLock { $0.append(finding) }
        }
        _ = try fixture.publishDaily(2)
        try store.tag(ManifestNumber(1), as: "first")
        let folder = "\(fixture.objects.location)/\(store.job)/tags"
        for name in ["a b.json", "\u{600}x.json", "no-end", "a\u{1B}[2J.json", "\u{301}.json"] {
            try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        for _ in 0..<3 { #expect(try store.tags().map(\.name) == ["first"]) }
        let plan = try store.planCollection(RetentionPolicy(last: 1), olderThan: .zero, now: StoreFixture.start + 100 * StoreFixture.day)
        #expect(plan.kept.map(\.number) == [1, 2])
        let findings = told.withLock { $0 }
        #expect(findings.count == 5)
        #expect(findings.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{600}" && $0 != "\u{301}" } })
    }

    @Test func aListOfCollectedCheckpointsThatGoesBeyondTheNewestIsNotBelieved() throws {
        let fixture = try StoreFixture(.directory)
        let manifests = try fixture.publishDaily(2)
        _ = try fixture.store.collect(RetentionPolicy(last: 2), olderThan: .zero, now: StoreFixture.start + 100 * StoreFixture.day)
        let key = try fixture.key("collected.json")
        let text = String(decoding: try #require(try fixture.bytes(key)), as: UTF8.self)
        let blank = String(repeating: "0", count: 64)
        let sum = text.range(of: "\"checksum\":\"")!.upperBound
        let changed = text.replacingCharacters(in: sum..<text.index(sum, offsetBy: 64), with: blank).replacing(
            "\"live\":[1,2],\"through\":2", with: "\"live\":[],\"through\":900")
        #expect(changed.contains("900"))
        try fixture.replace(
            key, by: Array(changed.replacing("\"checksum\":\"\(blank)", with: "\"checksum\":\"\(SHA256.of(Array(changed.utf8)).hex)").utf8))
        #expect(try fixture.store.liveNumbers().map(\.number) == manifests.reversed().map(\.number.number))
    }
}
