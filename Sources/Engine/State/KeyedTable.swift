/// Encoded records by key, in memory made for the hot path: open addressing over entries whose key and record lie
/// side by side in slabs; nothing here is reference-counted a record.
///
/// The table knows what changed since the last cut (`writeDelta`) and in which epoch each record changed last, so that
/// only records which the durable file already holds in its keyed rows are ever evicted (`evict`). While nothing was
/// evicted (`isComplete`), a key that is not here does not exist.
@usableFromInline package final class KeyedTable {
    struct Entry {
        var hash: UInt64
        /// The key, then the record; nil for an unused entry.
        var block: UnsafeMutableRawPointer?
        var blockSize: UInt32
        var keyLength: UInt32
        var recordLength: UInt32
        /// The epoch of the last change, as a distance from `firstEpoch`; 0: unchanged since it was loaded.
        var changedIn: UInt32
        /// Already in the list of what this epoch changed.
        var isListed: Bool
        /// Removed, but kept until the durable file has forgotten the key as well.
        var isTombstone: Bool
        /// Used since the eviction's hand last passed.
        var isTouched: Bool
    }

    /// Entries by number; unused ones are chained in `unused`.
    private var entries: UnsafeMutablePointer<Entry>
    @usableFromInline let seed: TableSeed
    private var entryCapacity: Int
    private var entryCount = 0
    private var unused: [UInt32] = []
    /// Entry number + 1 by hash, 0 for none; linear probing, at most half full.
    private var index: UnsafeMutablePointer<UInt32>
    private var indexMask: Int
    private var arena = RecordArena()
    private var changed: [UInt32] = []
    private var hand = 0
    private var tombstones = 0

    /// How many keys are in memory, tombstones not counted.
    @usableFromInline package private(set) var count = 0
    /// False once a record was evicted: then a key that is not in memory may lie in the durable file.
    @usableFromInline package private(set) var isComplete = true
    /// The epoch that changes are made in, counted from the task's start.
    var currentEpoch: UInt32 = 1

    init(seed: TableSeed = .ofProcess) {
        self.seed = seed
        entryCapacity = 8
        entries = .allocate(capacity: entryCapacity)
        indexMask = 15
        index = .allocate(capacity: indexMask + 1)
        index.initialize(repeating: 0, count: indexMask + 1)
    }

    deinit {
        entries.deallocate()
        index.deallocate()
    }

    /// What the records in memory take, in bytes. Freed blocks are kept for others and not counted.
    @usableFromInline package var memoryBytes: Int {
        arena.usedBytes + entryCapacity * MemoryLayout<Entry>.stride + (indexMask + 1) * 4 + (changed.count + unused.count) * 4
    }

    var hasChanges: Bool { !changed.isEmpty }

    // MARK: - Looking up

    /// What the other calls want as a key's hash.
    @inlinable package func hash(of key: ByteView) -> UInt64 { tableHash(key, seed: seed) }

    /// What is known about a key.
    @usableFromInline package enum Lookup {
        /// The record, and the number of its entry for `replace`.
        case record(ByteView, entry: Int)
        /// The key has no record.
        case absent
        /// The key is not in memory and may lie in the durable file.
        case unknown
    }

    /// The record of `key`, valid until the table changes.
    @usableFromInline package func lookup(_ key: ByteView, hash: UInt64) -> Lookup {
        guard let number = find(key, hash: hash) else { return isComplete ? .absent : .unknown }
        // Threads that share a reference table look up side by side: what is set already must not be written again.
        if !entries[number].isTouched { entries[number].isTouched = true }
        return entries[number].isTombstone ? .absent : .record(record(of: number), entry: number)
    }

    private func find(_ key: ByteView, hash: UInt64) -> Int? {
        var position = Int(truncatingIfNeeded: hash) & indexMask
        while index[position] != 0 {
            let number = Int(index[position]) - 1
            if entries[number].hash == hash, self.key(of: number) == key { return number }
            position = (position + 1) & indexMask
        }
        return nil
    }

    /// The key of an entry.
    func key(of number: Int) -> ByteView {
        let entry = entries[number]
        return ByteView(UnsafeRawBufferPointer(start: entry.block, count: Int(entry.keyLength)))
    }

    private func record(of number: Int) -> ByteView {
        let entry = entries[number]
        return ByteView(UnsafeRawBufferPointer(start: entry.block.unsafelyUnwrapped + Int(entry.keyLength), count: Int(entry.recordLength)))
    }

    /// Goes through all records in memory, in no promised order.
    @usableFromInline package func forEach(_ body: (_ key: ByteView, _ record: ByteView) -> Void) {
        for number in 0..<entryCount where entries[number].block != nil && !entries[number].isTombstone {
            body(key(of: number), record(of: number))
        }
    }

    // MARK: - Changing

    /// Stores `record` under `key` and lists the change for the next cut.
    @usableFromInline package func store(_ record: ByteView, for key: ByteView, hash: UInt64) {
        let number = place(record, for: key, hash: hash)
        list(number)
    }

    /// Stores `record` in the entry that `lookup` found, with nothing changed in between, and lists the change.
    @usableFromInline package func replace(_ entry: Int, with record: ByteView) {
        setRecord(record, of: entry)
        list(entry)
    }

    /// Lists the entry that `lookup` found as changed: its record is stored with `replace` before the cut.
    @usableFromInline
    func willChange(_ entry: Int) { list(entry) }

    /// Removes `key`'s record, if there is or may be one, and lists the change for the next cut.
    @usableFromInline package func remove(_ key: ByteView, hash: UInt64) {
        let found = find(key, hash: hash)
        if found == nil && isComplete { return }
        let number = found ?? place(ByteView(start: nil, count: 0), for: key, hash: hash)
        guard !entries[number].isTombstone else { return }
        entries[number].isTombstone = true
        tombstones += 1
        entries[number].recordLength = 0
        count -= 1
        list(number)
    }

    /// Puts a record that the durable file holds into memory; `epoch` 0 means that it is compacted into the keyed rows.
    func load(_ record: ByteView, for key: ByteView, changedIn epoch: UInt32) {
        let number = place(record, for: key, hash: hash(of: key))
        entries[number].changedIn = epoch
    }

    /// Says that keyed rows which were not loaded may exist.
    func markIncomplete() { isComplete = false }

    /// Takes a key out that a loaded delta removed.
    func unload(_ key: ByteView) {
        guard let number = find(key, hash: hash(of: key)) else { return }
        if !entries[number].isTombstone { count -= 1 }
        discard(number)
    }

    private func list(_ number: Int) {
        entries[number].changedIn = currentEpoch
        guard !entries[number].isListed else { return }
        entries[number].isListed = true
        changed.append(UInt32(number))
    }

    private func place(_ record: ByteView, for key: ByteView, hash: UInt64) -> Int {
        if let number = find(key, hash: hash) {
            setRecord(record, of: number)
            return number
        }
        let needed = key.count + record.count
        let (block, size) = arena.allocate(needed)
        fill(block, key, record)
        let number = takeEntry()
        let wasListed = number < entryCount && entries[number].isListed
        entries[number] = Entry(
            hash: hash, block: block, blockSize: UInt32(size), keyLength: UInt32(key.count),
            recordLength: UInt32(record.count), changedIn: 0, isListed: wasListed, isTombstone: false, isTouched: true
        )
        count += 1
        if number == entryCount { entryCount += 1 }
        addToIndex(number, hash: hash)
        return number
    }

    /// The record must not be a view into the table.
    private func setRecord(_ record: ByteView, of number: Int) {
        let needed = Int(entries[number].keyLength) + record.count
        precondition(needed <= Int(UInt32.max) / 2, "a record of more than 2 GiB")
        if needed > Int(entries[number].blockSize) {
            let (block, size) = arena.allocate(needed)
            fill(block, key(of: number), record)
            arena.release(entries[number].block.unsafelyUnwrapped, size: Int(entries[number].blockSize))
            entries[number].block = block
            entries[number].blockSize = UInt32(size)
        } else if let start = record.start {
            (entries[number].block.unsafelyUnwrapped + Int(entries[number].keyLength)).copyMemory(from: start, byteCount: record.count)
        }
        entries[number].recordLength = UInt32(record.count)
        if entries[number].isTombstone {
            entries[number].isTombstone = false
            tombstones -= 1
            count += 1
        }
        entries[number].isTouched = true
    }

    private func fill(_ block: UnsafeMutableRawPointer, _ key: ByteView, _ record: ByteView) {
        if let start = key.start { block.copyMemory(from: start, byteCount: key.count) }
        if let start = record.start { (block + key.count).copyMemory(from: start, byteCount: record.count) }
    }

    private func takeEntry() -> Int {
        if let number = unused.popLast() { return Int(number) }
        if entryCount == entryCapacity {
            let larger = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity * 2)
            larger.update(from: entries, count: entryCount)
            entries.deallocate()
            entries = larger
            entryCapacity *= 2
        }
        return entryCount
    }

    private func addToIndex(_ number: Int, hash: UInt64) {
        let used = entryCount - unused.count
        if used * 2 > indexMask + 1 { growIndex() }
        insertIntoIndex(number, hash: hash)
    }

    private func insertIntoIndex(_ number: Int, hash: UInt64) {
        var position = Int(truncatingIfNeeded: hash) & indexMask
        while index[position] != 0 { position = (position + 1) & indexMask }
        index[position] = UInt32(number + 1)
    }

    private func growIndex() {
        let positions = (indexMask + 1) * 2
        let old = index
        let oldCount = indexMask + 1
        index = .allocate(capacity: positions)
        index.initialize(repeating: 0, count: positions)
        indexMask = positions - 1
        for position in 0..<oldCount where old[position] != 0 {
            let number = Int(old[position]) - 1
            insertIntoIndex(number, hash: entries[number].hash)
        }
        old.deallocate()
    }

    /// Takes an entry out of memory altogether.
    private func discard(_ number: Int) {
        removeFromIndex(number)
        arena.release(entries[number].block.unsafelyUnwrapped, size: Int(entries[number].blockSize))
        entries[number].block = nil
        if entries[number].isTombstone { tombstones -= 1 }
        entries[number].isTombstone = false
        unused.append(UInt32(number))
    }

    /// Backward-shift deletion, so that no markers pile up in the index.
    private func removeFromIndex(_ number: Int) {
        var position = Int(truncatingIfNeeded: entries[number].hash) & indexMask
        while Int(index[position]) != number + 1 { position = (position + 1) & indexMask }
        var hole = position
        var probe = (hole + 1) & indexMask
        while index[probe] != 0 {
            let home = Int(truncatingIfNeeded: entries[Int(index[probe]) - 1].hash) & indexMask
            if (probe &- home) & indexMask >= (probe &- hole) & indexMask {
                index[hole] = index[probe]
                hole = probe
            }
            probe = (probe + 1) & indexMask
        }
        index[hole] = 0
    }

    // MARK: - Cutting and evicting

    /// Hands every change since the last cut to `removed` or `stored`, and starts the next epoch.
    func takeChanges(removed: (ByteView) -> Void, stored: (_ key: ByteView, _ record: ByteView) -> Void) {
        for listed in changed {
            let number = Int(listed)
            entries[number].isListed = false
            guard entries[number].block != nil else { continue }
            if entries[number].isTombstone { removed(key(of: number)) } else { stored(key(of: number), record(of: number)) }
        }
        changed.removeAll(keepingCapacity: true)
        currentEpoch += 1
    }

    /// Drops the tombstones that the durable file no longer needs contradicted: those changed in or before `epoch`.
    func forgetTombstones(compactedThrough epoch: UInt32) {
        guard tombstones > 0 else { return }
        for number in 0..<entryCount where entries[number].block != nil && entries[number].isTombstone {
            if entries[number].changedIn <= epoch && !entries[number].isListed { discard(number) }
        }
    }

    /// Forgets tombstones, and evicts records not used of late, that changed last in or before `compactedThrough`, until
    /// about `bytes` of their blocks were given back, or `limit` entries, or each twice, were looked at. Goes on where it
    /// stopped. Returns what was given back.
    func evict(_ bytes: Int, compactedThrough: UInt32, lookingAt limit: Int = .max) -> Int {
        var given = 0
        var looked = 0
        while given < bytes && looked < min(entryCount * 2, limit) && entryCount > 0 {
            if hand >= entryCount { hand = 0 }
            defer {
                hand += 1
                looked += 1
            }
            guard entries[hand].block != nil, !entries[hand].isListed, entries[hand].changedIn <= compactedThrough else { continue }
            if !entries[hand].isTombstone {
                if entries[hand].isTouched {
                    entries[hand].isTouched = false
                    continue
                }
                isComplete = false
                count -= 1
            }
            given += Int(entries[hand].blockSize)
            discard(hand)
        }
        return given
    }
}
