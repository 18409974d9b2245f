import CheckpointStores
import Engine
import Foundation
import TestSupport
import Testing

/// Checkpoints in the S3 server behind a proxy that breaks requests.
private struct Faults {
    let fixture: StoreFixture
    let proxy: FaultProxy
    let store: CheckpointStore
    /// The same bucket without the proxy.
    let direct: CheckpointStore

    /// - Parameter chosen: requests whose line starts so and holds `containing` can meet a fault.
    init(breaking chosen: String, containing part: String, attempts: Int = 4, timeout: Duration = .seconds(20)) throws {
        fixture = try StoreFixture(.s3)
        let server = try StoreKind.s3Server()
        proxy = try FaultProxy(to: server.port) { $0.hasPrefix(chosen) && $0.contains(part) }
        direct = fixture.store
        var settings = try S3Settings(location: fixture.objects.location, environment: server.environment(port: proxy.port))
        settings.attempts = attempts
        settings.firstPause = .milliseconds(5)
        settings.requestTimeout = timeout
        store = try CheckpointStore(objects: S3ObjectStore(settings: settings), job: fixture.store.job)
    }

    func publish(epoch: UInt64 = 1, after parent: Manifest? = nil, writer: String = "host:1:a") throws -> Manifest {
        let base = NewObject(kind: .base, file: try fixture.file("base of \(epoch)"), epoch: Epoch(epoch))
        return try store.publish(fixture.draft(epoch: epoch, after: parent, writer: writer), files: [base])
    }
}

@Suite("S3 that answers wrongly, late, twice or not at all")
struct S3FaultTests {
    static let lost: [RequestFault] = [
        .cutBody, .dropAnswer, .deliverTwice, .answerItself(status: 500), .answerItself(status: 503), .answerItself(status: 409),
    ]

    @Test("Promise 2: a lost answer to creating a manifest is found out", arguments: lost)
    func creatingAManifestSurvives(fault: RequestFault) throws {
        let faults = try Faults(breaking: "PUT", containing: "/manifests/")
        faults.proxy.meet([fault])
        let manifest = try faults.publish()
        #expect(faults.proxy.chosenSeen >= 1)
        #expect(try faults.direct.newest() == manifest)
        try faults.direct.verify(manifest, deep: true)
    }

    @Test(arguments: lost)
    func uploadingAnObjectSurvives(fault: RequestFault) throws {
        let faults = try Faults(breaking: "PUT", containing: "/snapshots/")
        faults.proxy.meet([fault, fault])
        let manifest = try faults.publish()
        try faults.direct.verify(manifest, deep: true)
    }

    @Test(arguments: [RequestFault.dropAnswer, .answerItself(status: 500), .cutBody])
    func readingSurvives(fault: RequestFault) throws {
        let faults = try Faults(breaking: "GET", containing: "")
        let manifest = try faults.publish()
        faults.proxy.meet([fault])
        #expect(try faults.store.newest() == manifest)
        faults.proxy.meet([fault])
        let target = try TemporaryDirectory("tidemark-fetched")
        let fetched = try faults.store.fetch(manifest, into: target.path)
        #expect(try String(contentsOfFile: fetched.base, encoding: .utf8) == "base of 1")
        faults.proxy.meet([fault])
        try faults.store.verify(manifest, deep: false)
    }

    @Test func aTimeoutIsUnknownAndTheRequestThatComesLateChangesNothing() throws {
        let faults = try Faults(breaking: "PUT", containing: "/manifests/", timeout: .seconds(1))
        faults.proxy.meet([.deliverLate(seconds: 0.5)])
        let manifest = try faults.publish()
        let stored = try faults.fixture.bytes(faults.fixture.manifestKey(1))
        try waitUntil("the first request has arrived") { faults.proxy.lateDeliveries == 1 }
        #expect(try faults.fixture.bytes(faults.fixture.manifestKey(1)) == stored)
        #expect(try faults.direct.newest() == manifest)
    }

    @Test func aLateRequestThatLostTheRaceLeavesItsWriterFenced() throws {
        let faults = try Faults(breaking: "PUT", containing: "/manifests/", attempts: 1, timeout: .seconds(1))
        faults.proxy.meet([.deliverLate(seconds: 0.5)])
        #expect(try StoreFixture.failure { _ = try faults.publish() }?.kind == .retry)
        let winner = try faults.fixture.publishBase(epoch: 9, after: nil, writer: "host:2:b")
        try waitUntil("the first request has arrived") { faults.proxy.lateDeliveries == 1 }
        #expect(try faults.direct.newest() == winner)
        #expect(try StoreFixture.failure { _ = try faults.publish() }?.kind == .fenced)
    }

    @Test func aLateRequestThatLandedIsOurs() throws {
        let faults = try Faults(breaking: "PUT", containing: "/manifests/", attempts: 1, timeout: .seconds(1))
        faults.proxy.meet([.deliverLate(seconds: 0)])
        #expect(try StoreFixture.failure { _ = try faults.publish() }?.kind == .retry)
        try waitUntil("the request has arrived") { faults.proxy.lateDeliveries == 1 }
        #expect(try faults.publish() == faults.direct.newest())
    }

    @Test func anAnswerThatIsNotTrueIsNoticed() throws {
        let manifest = try Faults(breaking: "PUT", containing: "/manifests/")
        manifest.proxy.meet([.answerItself(status: 200)])
        #expect(try StoreFixture.failure { _ = try manifest.publish() }?.kind == .corrupt, "what was written is read back")
        let object = try Faults(breaking: "PUT", containing: "/snapshots/")
        object.proxy.meet([.answerItself(status: 200)])
        #expect(try StoreFixture.failure { _ = try object.publish() }?.kind == .corrupt)
        #expect(try object.direct.newest() == nil, "no manifest without its objects")
        let absent = try Faults(breaking: "GET", containing: "/manifests/")
        absent.proxy.meet([.answerItself(status: 404)])
        #expect(
            try StoreFixture.failure { _ = try absent.store.newest() }?.kind == .invalid, "only S3's own NoSuchKey means that there is none"
        )
        let listing = try Faults(breaking: "GET", containing: "list-type=2")
        listing.proxy.meet([.answerItself(status: 200)])
        #expect(try StoreFixture.failure { _ = try listing.store.tags() }?.kind == .invalid)
    }

    @Test func aStoreThatIsDownIsTriedSoOftenAndNoMore() throws {
        let faults = try Faults(breaking: "GET", containing: "/manifests/", attempts: 3)
        faults.proxy.meet([RequestFault](repeating: .answerItself(status: 503), count: 100))
        let error = try StoreFixture.failure { _ = try faults.store.newest() }
        #expect(error?.kind == .retry)
        #expect(faults.proxy.chosenSeen == 3)
        var settings = try S3Settings(location: "s3://bucket", environment: StoreKind.s3Server().environment(port: freePort()))
        settings.attempts = 2
        settings.firstPause = .milliseconds(1)
        let nobody = try CheckpointStore(objects: S3ObjectStore(settings: settings), job: "a")
        #expect(try StoreFixture.failure { _ = try nobody.newest() }?.kind == .retry)
    }

    @Test func stoppingEndsACallThatWaits() throws {
        let server = try ScriptedHTTPServer { _ in .nothing }
        let settings = try S3Settings(location: "s3://bucket", environment: StoreKind.s3Server().environment(port: server.port))
        let objects = S3ObjectStore(settings: settings) { !server.requests.isEmpty }
        let error = try StoreFixture.failure { _ = try objects.get(ObjectKey("a"), limit: 10) }
        #expect(error?.kind == .retry)
        #expect(error?.message.contains("stopping") == true)
        #expect(server.requests.count == 1)
    }

    @Test func anObjectIsNeverAcceptedInPart() throws {
        let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf of it") }
        var settings = try S3Settings(location: "s3://bucket", environment: StoreKind.s3Server().environment(port: server.port))
        settings.attempts = 2
        settings.firstPause = .milliseconds(1)
        settings.stallTimeout = .seconds(1)
        let directory = try TemporaryDirectory("tidemark-stores")
        let error = try StoreFixture.failure {
            _ = try S3ObjectStore(settings: settings).download(ObjectKey("a"), into: directory.file("a"), limit: 1 << 30)
        }
        #expect(error?.kind == .retry)
        #expect(server.requests.count == 2)
        #expect(!FileManager.default.fileExists(atPath: directory.file("a")))
    }
}
