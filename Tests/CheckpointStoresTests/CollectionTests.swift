import CheckpointStores
import Engine
import Foundation
import TestSupport
import Testing

@Suite("Tags and collection: what is reached, tagged or young stays")
struct CollectionTests {
    private let fixture: StoreFixture
    /// Objects are as old as their files say, and those are of today.
    private let now = Int64(Date().timeIntervalSince1970 * 1000) + 40 * StoreFixture.day

    init() throws { fixture = try StoreFixture() }

    private func numbers(_ values: Int...) -> [ManifestNumber] { values.map { ManifestNumber(UInt64($0)) } }

    private func objectCount() throws -> Int {
        try ["snapshots", "deltas"].reduce(0) {
            try $0 + fixture.objects.list(prefix: "\(fixture.store.job)/\($1)/", after: nil, limit: 1000).count
        }
    }

    @Test(arguments: StoreKind.allCases)
    func removesOnlyWhatTheLastOnesAndTaggedOnesDontReach(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        var manifests = [try fixture.publishBase(epoch: 1, after: nil)]
        for epoch in 2...4 { manifests.append(try fixture.publishDelta(epoch: UInt64(epoch), after: manifests.last!)) }
        for epoch in 5...8 { manifests.append(try fixture.publishBase(epoch: UInt64(epoch), after: manifests.last)) }
        try fixture.store.tag(ManifestNumber(3), as: "keep")
        let done = try fixture.store.collect(RetentionPolicy(last: 2), olderThan: .seconds(3600), now: now)
        #expect(done.manifests == numbers(1, 2, 4, 5, 6))
        #expect(done.kept == numbers(3, 7, 8))
        #expect(
            done.objects.map(\.key)
                == [manifests[3].objects[3], manifests[4].objects[0], manifests[5].objects[0]].map { try! fixture.key($0.key) }.sorted())
        for number in [3, 7, 8] {
            try fixture.store.verify(manifests[number - 1], deep: true)
            try fixture.store.verifyChain(manifests[number - 1])
        }
        #expect(try fixture.store.manifest(ManifestNumber(4))?.link == manifests[3].link, "the tombstone keeps the chain")
        #expect(try fixture.store.newest() == manifests[7])
        #expect(try fixture.store.liveNumbers() == numbers(8, 7, 3))
        let again = try fixture.store.collect(RetentionPolicy(last: 2), olderThan: .seconds(3600), now: now)
        #expect(again.manifests == [] && again.objects == [])
    }

    @Test func checkpointsOfOneStateCountOnce() throws {
        var manifests = try fixture.publishDaily(4)
        for _ in 0..<10 {
            let claim = fixture.draft(epoch: 4, after: manifests.last, retaining: manifests[3].objects)
            manifests.append(try fixture.store.publish(claim, files: []))
        }
        let plan = try fixture.store.planCollection(RetentionPolicy(last: 3), olderThan: .seconds(60), now: now)
        #expect(plan.kept == numbers(2, 3, 14))
    }

    @Test func whatIsYoungStays() throws {
        _ = try fixture.publishDaily(5)
        let plan = try fixture.store.planCollection(
            RetentionPolicy(last: 1), olderThan: .seconds(2 * 86400), now: StoreFixture.start + 4 * StoreFixture.day)
        #expect(plan.kept == numbers(3, 4, 5))
        #expect(plan.objects == [], "their files are of today")
    }

    @Test func anUploadWithoutAManifestGoesWhenItIsOld() throws {
        let manifest = try fixture.publishBase(epoch: 1, after: nil)
        let orphan = try fixture.key("deltas/\(String(repeating: "a", count: 64)).db")
        try fixture.replace(orphan, by: [1])
        let today = now - 40 * StoreFixture.day
        #expect(try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(3600), now: today).objects == [])
        #expect(try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(3600), now: now).objects.map(\.key) == [orphan])
        try fixture.store.verify(manifest, deep: true)
    }

    @Test func keepsTheNewestOfHoursAndDays() throws {
        var last: Manifest?
        for hour in 0..<72 {
            last = try fixture.publishBase(epoch: UInt64(hour + 1), after: last, createdAt: StoreFixture.start + Int64(hour) * 3_600_000)
        }
        let plan = try fixture.store.planCollection(RetentionPolicy(last: 2, hourly: 4, daily: 3), olderThan: .seconds(60), now: now)
        #expect(plan.kept == numbers(24, 48, 69, 70, 71, 72))
    }

    /// Without the checkpoint that shows it, an abandoned one could be restored, and would count rows that were rolled back.
    @Test func whatShowsThatAKeptCheckpointIsAbandonedStays() throws {
        let manifests = try fixture.publishDaily(5)
        try fixture.store.tag(ManifestNumber(4), as: "before")
        var last = try fixture.publishBase(epoch: 2, after: manifests[4], lineage: Lineage(2))
        for epoch in 3...8 { last = try fixture.publishBase(epoch: UInt64(epoch), after: last, lineage: Lineage(2)) }
        let done = try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(3600), now: now)
        #expect(done.kept == numbers(4, 7, 12), "4 is of epoch 4 of lineage 1, 7 of epoch 3 of lineage 2")
        let live = try fixture.store.liveCheckpoints().map { try $0.manifest.get() }
        #expect(live.filter { manifests[3].isAbandoned(by: $0) }.map(\.number) == numbers(7))
        try fixture.store.untag("before")
        #expect(try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(3600), now: now).kept == numbers(12))
    }

    /// Damage must never push the last good checkpoint out.
    @Test func damagedCheckpointsDontCountAsKept() throws {
        let manifests = try fixture.publishDaily(6)
        for damaged in [4, 5] { try fixture.objects.delete(fixture.key(manifests[damaged].objects[0].key)) }
        let plan = try fixture.store.planCollection(RetentionPolicy(last: 2), olderThan: .seconds(60), now: now)
        #expect(plan.kept == numbers(3, 4, 6), "the newest stays, whatever it is like")
    }

    @Test func nothingIsRemovedWhileAManifestCantBeRead() throws {
        let manifests = try fixture.publishDaily(5)
        try fixture.replace(fixture.manifestKey(2), by: [1, 2, 3])
        let done = try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        #expect(done.unreadable == numbers(2))
        #expect(done.objects == [])
        #expect(try objectCount() == 5)
        #expect(try StoreFixture.failure { try fixture.store.discard(ManifestNumber(5)) }?.kind == .invalid)
        try fixture.store.discard(ManifestNumber(2))
        _ = try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        #expect(try objectCount() == 1)
        try fixture.store.verify(manifests[4], deep: true)
    }

    @Test func aTagSetDuringACollectionHolds() throws {
        let manifests = try fixture.publishDaily(4)
        let plan = try fixture.store.planCollection(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        #expect(plan.manifests == numbers(1, 2, 3))
        try fixture.store.tag(ManifestNumber(2), as: "late")
        let done = try fixture.store.collect(plan)
        #expect(done.manifests == numbers(1, 3))
        #expect(try fixture.store.resolve(.tag("late")) == manifests[1])
        try fixture.store.verify(manifests[1], deep: true)
    }

    @Test func aCheckpointPublishedOnOldObjectsDuringACollectionHolds() throws {
        let manifests = try fixture.publishDaily(3)
        let plan = try fixture.store.planCollection(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        let rewound = try fixture.store.publish(fixture.draft(epoch: 1, after: manifests[2], retaining: manifests[0].objects), files: [])
        _ = try fixture.store.collect(plan)
        try fixture.store.verify(rewound, deep: true)
        #expect(try fixture.store.newest() == rewound)
    }

    @Test func publishingOnObjectsThatAreGoneIsRefused() throws {
        let manifests = try fixture.publishDaily(3)
        _ = try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        let draft = fixture.draft(epoch: 1, after: manifests[2], retaining: manifests[0].objects)
        #expect(try StoreFixture.failure { _ = try fixture.store.publish(draft, files: []) }?.kind == .corrupt)
        #expect(try fixture.store.newest() == manifests[2])
    }

    /// A crash between the tombstones and the objects.
    @Test func theNextCollectionRemovesWhatACrashLeft() throws {
        _ = try fixture.publishDaily(4)
        var plan = try fixture.store.planCollection(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        plan.objects = []
        _ = try fixture.store.collect(plan)
        #expect(try objectCount() == 4)
        #expect(try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now).objects.count == 3)
        #expect(try objectCount() == 1)
    }

    @Test func readingOnesThatWereCollectedIsMissing() throws {
        let manifests = try fixture.publishDaily(3)
        _ = try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now)
        let target = try TemporaryDirectory("tidemark-fetched")
        #expect(try StoreFixture.failure { _ = try fixture.store.fetch(manifests[0], into: target.path) }?.kind == .missing)
        #expect(try StoreFixture.failure { _ = try fixture.store.resolve(.number(ManifestNumber(1))) }?.kind == .missing)
    }

    @Test func resolvesReferences() throws {
        let manifests = try fixture.publishDaily(5)
        try fixture.store.tag(ManifestNumber(2), as: "before-upgrade")
        _ = try fixture.store.collect(RetentionPolicy(last: 2), olderThan: .seconds(60), now: now)
        let resolved = try [
            "latest", "latest~1", "latest~2", "5", "tag:before-upgrade", "@2026-09-05T00:00Z", "@2026-09-04T23:59:59Z",
            "@2026-09-02T12:00Z",
        ]
        .map { try Int(fixture.store.resolve(CheckpointReference($0)).number.number) }
        #expect(resolved == [5, 4, 2, 5, 2, 5, 4, 2])
        for text in ["latest~3", "3", "9", "tag:other", "@2026-09-01T00:00Z"] {
            #expect(try StoreFixture.failure { _ = try fixture.store.resolve(CheckpointReference(text)) }?.kind == .missing, "\(text)")
        }
        #expect(try fixture.store.newest() == manifests[4])
    }

    @Test func tagsAreNamesForOneCheckpoint() throws {
        _ = try fixture.publishDaily(3)
        try fixture.store.tag(ManifestNumber(1), as: "b")
        try fixture.store.tag(ManifestNumber(1), as: "b")
        try fixture.store.tag(ManifestNumber(2), as: "a.1")
        #expect(try StoreFixture.failure { try fixture.store.tag(ManifestNumber(2), as: "b") }?.kind == .invalid)
        #expect(try StoreFixture.failure { try fixture.store.tag(ManifestNumber(9), as: "c") }?.kind == .missing)
        #expect(try StoreFixture.failure { try fixture.store.tag(ManifestNumber(1), as: "a/b") }?.kind == .invalid)
        try fixture.store.tag(ManifestNumber(3), as: "b", replacing: true)
        #expect(try fixture.store.tags().map { "\($0.name) \($0.number)" } == ["a.1 2", "b 3"])
        try fixture.store.untag("b")
        #expect(try StoreFixture.failure { try fixture.store.untag("b") }?.kind == .missing)
        try fixture.replace(fixture.key("tags/a.1.json"), by: [1])
        let error = try StoreFixture.failure { _ = try fixture.store.collect(RetentionPolicy(last: 1), olderThan: .seconds(60), now: now) }
        #expect(error?.kind == .corrupt && error?.message.contains("tags/a.1.json") == true, "what a damaged tag protects isn't known")
    }
}
