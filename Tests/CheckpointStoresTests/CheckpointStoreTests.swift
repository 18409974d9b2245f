import CheckpointStores
import Engine
import Foundation
import TestSupport
import Testing

@Suite("The checkpoint store: numbered manifests, created only if absent")
struct CheckpointStoreTests {
    @Test(arguments: StoreKind.allCases)
    func givesBackWhatWasPublished(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        #expect(try fixture.store.newest() == nil)
        let first = try fixture.publishBase(epoch: 3, after: nil)
        let second = try fixture.publishDelta(epoch: 5, after: first)
        let third = try fixture.publishDelta(epoch: 6, after: second)
        #expect([first, second, third].map(\.number.number) == [1, 2, 3])
        #expect(third.objects.map(\.kind) == [.base, .delta(after: Epoch(3)), .delta(after: Epoch(5))])
        #expect(third.parent == second.link)
        let reader = try CheckpointStore(objects: fixture.objects, job: fixture.store.job)
        #expect(try reader.newest() == third)
        #expect(try reader.manifest(ManifestNumber(2)) == .manifest(second))
        #expect(try reader.manifest(ManifestNumber(4)) == nil)
        for manifest in [first, second, third] {
            try reader.verify(manifest, deep: true)
            try reader.verifyChain(manifest)
        }
        let target = try TemporaryDirectory("tidemark-fetched")
        let fetched = try reader.fetch(third, into: target.path)
        #expect(
            try ([fetched.base] + fetched.deltas).map { try String(contentsOfFile: $0, encoding: .utf8) } == [
                "base of 3", "delta to 5", "delta to 6",
            ])
        #expect(try StoreFixture.failure { _ = try reader.fetch(third, into: target.path) }?.kind == .invalid, "nothing is overwritten")
    }

    /// Written by hand from checkpoints/README.md: what is documented is what is stored.
    @Test func aManifestIsStoredAsDocumented() throws {
        let fixture = try StoreFixture()
        let draft = fixture.draft(
            epoch: 3, after: nil,
            tasks: [.init(id: TaskID(stage: "totals", partition: 1), watermark: EventTime(milliseconds: -5), next: nil)],
            tables: [.init(name: "alerts", lastFrozen: BatchNumber(4), lastDelivered: BatchNumber(3))])
        let base = NewObject(kind: .base, file: try fixture.file("base of 3"), epoch: Epoch(3))
        let manifest = try fixture.store.publish(draft, files: [base])
        let sha = manifest.objects[0].digest.sha256.hex
        let zeros = String(repeating: "0", count: 64)
        let blank = #"""
            {"checksum":"\#(zeros)","createdAt":1788220800000,"epoch":3,"format":1,"hashKey":"646c6f74000000007465726365730000","identity":"b6a1","job":"fin tech+1","jobVersion":3,"lineage":1,"minimumReader":1,"number":1,"objects":[{"bytes":9,"epoch":3,"key":"snapshots/\#(sha).db","kind":"base","sha256":"\#(sha)"}],"parent":null,"partitions":{"transactions":4},"reason":"interval","stateFormat":2,"tables":[{"lastDelivered":null,"lastFrozen":9,"name":"metrics"},{"lastDelivered":3,"lastFrozen":4,"name":"alerts"}],"tasks":[{"next":7,"partition":0,"stage":"by \"key\"","watermark":null},{"next":null,"partition":1,"stage":"totals","watermark":-5}],"writer":"host:1:a"}

            """#
        let expected = blank.replacing(zeros, with: SHA256.of(Array(blank.utf8)).hex)
        let stored = try #require(try fixture.bytes(fixture.manifestKey(1)))
        #expect(String(decoding: stored, as: UTF8.self) == expected)
        #expect(manifest.sha256 == SHA256.of(stored))
        #expect(try CheckpointStore(objects: fixture.objects, job: fixture.store.job).newest() == manifest)
    }

    @Test func aManifestSaysOfTheStateWhatTheStateSays() throws {
        let fixture = try StoreFixture()
        let facts = CheckpointFacts(
            job: fixture.store.job, jobVersion: 3, stateFormat: 2, identity: "b6a1", hashKey: .ofTests, lineage: Lineage(2),
            epoch: Epoch(7),
            partitions: ["transactions": 16],
            tasks: [
                .init(id: TaskID(stage: "a", partition: 0), watermark: EventTime(milliseconds: -5), next: 12),
                .init(id: TaskID(stage: "a", partition: 1), watermark: nil, next: nil),
            ],
            tables: [
                .init(name: "t", lastFrozen: BatchNumber(4), lastDelivered: BatchNumber(3)),
                .init(name: "u", lastFrozen: nil, lastDelivered: nil),
            ]
        )
        let base = NewObject(kind: .base, file: try fixture.file("base"), epoch: facts.epoch)
        let draft = ManifestDraft(facts, after: nil, retaining: [], writer: "host:1:a", createdAt: StoreFixture.start, reason: .drain)
        _ = try fixture.store.publish(draft, files: [base])
        let read = try #require(try CheckpointStore(objects: fixture.objects, job: fixture.store.job).newest())
        #expect(read.facts == facts)
        #expect(read.reason == .drain)
    }

    @Test("SHA-256 as FIPS 180-4 has it")
    func hashesAsTheStandardSays() {
        #expect(SHA256.of(Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.of([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func findsTheNewestAmongManyWithFewReads() throws {
        let fixture = try StoreFixture()
        let counting = CountingStore(fixture.objects)
        let writer = try CheckpointStore(objects: counting, job: fixture.store.job)
        var last: Manifest?
        for epoch in 1...130 {
            last = try writer.publish(
                fixture.draft(epoch: UInt64(epoch), after: last),
                files: [NewObject(kind: .base, file: fixture.file("same"), epoch: Epoch(UInt64(epoch)))])
            if [1, 2, 3, 7, 8, 64, 127, 128, 130].contains(epoch) {
                let reader = try CheckpointStore(objects: counting, job: fixture.store.job)
                counting.reset()
                #expect(try reader.newest() == last)
                #expect(counting.gets <= 18, "\(counting.gets) reads to find \(epoch)")
                #expect(counting.lists == 0)
            }
        }
        counting.reset()
        #expect(try writer.newest() == last)
        #expect(counting.gets == 2, "the search begins where the last one ended")
    }

    @Test("Promise 5: the loser of the race for a number is fenced, and its manifest is nowhere", arguments: StoreKind.allCases)
    func fencesTheSecondWriter(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let first = try fixture.publishBase(epoch: 1, after: nil)
        let winner = try fixture.publishBase(epoch: 2, after: first, writer: "host:2:b")
        let error = try StoreFixture.failure { try fixture.publishBase(epoch: 3, after: first, writer: "host:1:a") }
        #expect(error?.kind == .fenced, "\(String(describing: error))")
        #expect(try fixture.store.newest() == winner)
        #expect(try StoreFixture.failure { try fixture.publishBase(epoch: 3, after: nil, writer: "host:3:c") }?.kind == .fenced)
    }

    @Test func ofManyWritersAtOnceOnePublishesAndTheOthersAreFenced() throws {
        let fixture = try StoreFixture()
        let results = Results()
        DispatchQueue.concurrentPerform(iterations: 16) { writer in
            do {
                results.add(
                    try StoreFixture.failure { try fixture.publishBase(epoch: UInt64(writer + 1), after: nil, writer: "host:\(writer):x") }?
                        .kind)
            } catch { results.add(.bug) }
        }
        #expect(results.kinds.count == 16)
        #expect(results.kinds.count { $0 == nil } == 1)
        #expect(results.kinds.count { $0 == .fenced } == 15)
    }

    @Test("After a conflict the store is read back: the same writer and bytes were ours")
    func publishingTheSameAgainIsFine() throws {
        let fixture = try StoreFixture()
        let draft = fixture.draft(epoch: 1, after: nil)
        let file = NewObject(kind: .base, file: try fixture.file("base"), epoch: Epoch(1))
        let published = try fixture.store.publish(draft, files: [file])
        #expect(try fixture.store.publish(draft, files: [file]) == published)
        var later = fixture.draft(epoch: 1, after: nil, createdAt: StoreFixture.start + 1)
        let error = try StoreFixture.failure { _ = try fixture.store.publish(later, files: [file]) }
        #expect(error?.kind == .retry, "an earlier attempt of the same writer: it looks again and goes on")
        later.parent = try fixture.store.newestLink()
        #expect(try fixture.store.publish(later, files: [file]).number == ManifestNumber(2))
    }

    @Test func aChangedHistoryIsNoticed() throws {
        let fixture = try StoreFixture()
        let first = try fixture.publishBase(epoch: 1, after: nil)
        let second = try fixture.publishBase(epoch: 2, after: first)
        let other = try StoreFixture()
        let foreign = try other.publishBase(epoch: 1, after: nil, writer: "other:1:a")
        try fixture.replace(fixture.manifestKey(1), by: #require(try other.bytes(other.manifestKey(1))))
        try fixture.replace(fixture.key(foreign.objects[0].key), by: #require(try other.bytes(other.key(foreign.objects[0].key))))
        try fixture.store.verify(second, deep: true)
        let error = try StoreFixture.failure { try fixture.store.verifyChain(second) }
        #expect(error?.kind == .corrupt)
        #expect(error?.message.contains("manifests/00000000000000000001.json") == true)
        let fenced = try StoreFixture.failure { try fixture.publishBase(epoch: 3, after: first) }
        #expect(fenced?.kind == .fenced, "a writer whose parent changed under it")
    }

    /// A newer version may add what this one can't read: it is refused by its number, not by its looks.
    @Test func aManifestForNewerReadersIsIncompatible() throws {
        let fixture = try StoreFixture()
        var draft = fixture.draft(epoch: 1, after: nil)
        draft.minimumReader = 2
        let file = NewObject(kind: .base, file: try fixture.file("base"), epoch: Epoch(1))
        let error = try StoreFixture.failure { _ = try fixture.store.publish(draft, files: [file]) }
        #expect(error?.kind == .invalid, "nobody publishes what they can't read themselves")
        let zeros = String(repeating: "0", count: 64)
        let text = #"{"checksum":"\#(zeros)","format":2,"minimumReader":2,"number":1,"tide":"high"}"# + "\n"
        try fixture.replace(fixture.manifestKey(1), by: Array(text.replacing(zeros, with: SHA256.of(Array(text.utf8)).hex).utf8))
        #expect(try StoreFixture.failure { _ = try fixture.store.newest() }?.kind == .incompatible)
        #expect(try fixture.store.newestLink()?.number == .first)
    }

    @Test func aManifestOfAnotherJobIsRefused() throws {
        let fixture = try StoreFixture()
        try fixture.publishBase(epoch: 1, after: nil)
        let other = try CheckpointStore(objects: fixture.objects, job: "other")
        _ = try fixture.objects.put(
            .bytes(#require(try fixture.bytes(fixture.manifestKey(1)))), at: ObjectKey("other/manifests/00000000000000000001.json"),
            onlyIfAbsent: true)
        #expect(try StoreFixture.failure { _ = try other.newest() }?.kind == .corrupt)
    }

    @Test func aDraftWhoseObjectsDontFollowIsRefused() throws {
        let fixture = try StoreFixture()
        let base = NewObject(kind: .base, file: try fixture.file("base"), epoch: Epoch(1))
        let delta = NewObject(kind: .delta(after: Epoch(2)), file: try fixture.file("delta"), epoch: Epoch(3))
        for files in [[], [delta], [base, base], [base, delta]] {
            let error = try StoreFixture.failure { _ = try fixture.store.publish(fixture.draft(epoch: 3, after: nil), files: files) }
            #expect(error?.kind == .invalid, "\(files)")
        }
        #expect(try fixture.store.newest() == nil)
    }

    @Test(arguments: ["", "a/b", ".", "..", "line\nbreak"])
    func refusesAJobsNameThatIsNoPartOfAKey(name: String) throws {
        let objects = DirectoryObjectStore(path: "/nowhere")
        #expect(try StoreFixture.failure { _ = try CheckpointStore(objects: objects, job: name) }?.kind == .invalid)
    }
}
