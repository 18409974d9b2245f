/// 128-bit hashes, each with the number of its bucket, in memory: open addressing in two plain arrays, 20 bytes a slot.
///
/// Nothing is ever taken out one by one: hashes of buckets that are over are passed over when they are met, and left
/// behind when the table is built anew because it is full.
final class HashedIDs {
    /// Two zeros for an unused slot.
    private var hashes: UnsafeMutablePointer<Hash128>
    private var buckets: UnsafeMutablePointer<Int32>
    private var capacity: Int
    private var used = 0

    private static let leastCapacity = 64
    private static let unused = Hash128(low: 0, high: 0)
    /// Ids can be made whose unkeyed hashes lie close together: where they lie here nobody knows.
    private let seed: TableSeed

    init(seed: TableSeed = .ofProcess) {
        self.seed = seed
        capacity = HashedIDs.leastCapacity
        (hashes, buckets) = HashedIDs.slots(capacity)
    }

    deinit {
        hashes.deallocate()
        buckets.deallocate()
    }

    var memoryBytes: Int { capacity * (MemoryLayout<Hash128>.stride + MemoryLayout<Int32>.stride) }

    /// Adds a hash to a bucket unless it is in one that `isLive`. True when it was in none.
    func insert(_ hash: Hash128, bucket: Int32, isLive: (Int32) -> Bool) -> Bool {
        if used * 4 >= capacity * 3 { rebuild(isLive) }
        let hash = HashedIDs.used(hash)
        let slot = slot(of: hash)
        if hashes[slot] == HashedIDs.unused {
            hashes[slot] = hash
            used += 1
        } else if isLive(buckets[slot]) {
            return false
        }
        buckets[slot] = bucket
        return true
    }

    /// True when the hash is in a bucket that `isLive`.
    func holds(_ hash: Hash128, isLive: (Int32) -> Bool) -> Bool {
        let slot = slot(of: HashedIDs.used(hash))
        return hashes[slot] != HashedIDs.unused && isLive(buckets[slot])
    }

    /// Puts a hash into a bucket, as it is stored there; of several buckets the last one remembers it longest.
    func add(_ hash: Hash128, bucket: Int32) {
        if used * 4 >= capacity * 3 { rebuild { _ in true } }
        let hash = HashedIDs.used(hash)
        let slot = slot(of: hash)
        if hashes[slot] == HashedIDs.unused {
            hashes[slot] = hash
            buckets[slot] = bucket
            used += 1
        } else {
            buckets[slot] = max(buckets[slot], bucket)
        }
    }

    /// The mark of unused slots is no hash.
    private static func used(_ hash: Hash128) -> Hash128 { hash == unused ? Hash128(low: 1, high: 0) : hash }

    /// Where the hash is, or else belongs: linear probing, at most three quarters full.
    private func slot(of hash: Hash128) -> Int {
        let mixed = foldedProduct(hash.high ^ seed.start, hash.low ^ seed.factor)
        var slot = Int(mixed.multipliedFullWidth(by: UInt64(capacity)).high)
        while hashes[slot] != hash && hashes[slot] != HashedIDs.unused {
            slot += 1
            if slot == capacity { slot = 0 }
        }
        return slot
    }

    /// Builds the table anew, half full, of the hashes that are live.
    private func rebuild(_ isLive: (Int32) -> Bool) {
        let (oldHashes, oldBuckets, oldCapacity) = (hashes, buckets, capacity)
        var live = 0
        for old in 0..<oldCapacity where oldHashes[old] != HashedIDs.unused && isLive(oldBuckets[old]) { live += 1 }
        capacity = max(live * 2, HashedIDs.leastCapacity)
        (hashes, buckets) = HashedIDs.slots(capacity)
        used = live
        for old in 0..<oldCapacity where oldHashes[old] != HashedIDs.unused && isLive(oldBuckets[old]) {
            let slot = slot(of: oldHashes[old])
            hashes[slot] = oldHashes[old]
            buckets[slot] = oldBuckets[old]
        }
        oldHashes.deallocate()
        oldBuckets.deallocate()
    }

    private static func slots(_ capacity: Int) -> (UnsafeMutablePointer<Hash128>, UnsafeMutablePointer<Int32>) {
        let hashes = UnsafeMutablePointer<Hash128>.allocate(capacity: capacity)
        hashes.initialize(repeating: unused, count: capacity)
        let buckets = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
        buckets.initialize(repeating: 0, count: capacity)
        return (hashes, buckets)
    }
}
