import CheckpointStores
import Engine
import Synchronization
import Testing

@Suite("A state of shared durability goes on where its newest checkpoint ends, also when that comes while a start looks")
struct RestorationTests {
    private let fixture: StoreFixture
    private let first: Manifest

    init() throws {
        fixture = try StoreFixture()
        first = try fixture.publishBase(epoch: 1, after: nil)
    }

    private func wish(_ durability: Durability) -> Restoration.Wish {
        var wish = Restoration.Wish(now: StoreFixture.start + StoreFixture.day)
        wish.durability = durability
        return wish
    }

    /// What the dead worker had on its way is there when the object of the one before has been looked at.
    @Test(arguments: [(1, Lineage?.none), (2, Lineage(2))])
    func aCheckpointThatComesMeanwhile(landings: Int, lineage: Lineage?) throws {
        let newest = Mutex(first)
        let objects = CountingStore(fixture.objects) { [fixture] number in
            newest.withLock { newest in
                guard number <= landings else { return }
                newest = try! fixture.publishDelta(epoch: newest.epoch.number + 1, after: newest)
            }
        }
        let store = try CheckpointStore(objects: objects, job: fixture.store.job)
        let found = try #require(try Restoration.choose(in: store, wish(.shared)) { _, _ in })
        #expect(found.lineage == lineage)
        #expect(found.manifest.number.number == 2, "who goes on publishing is no worker that is gone")
    }
}
