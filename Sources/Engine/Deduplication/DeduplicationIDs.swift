/// The ids of the events that a task has processed lately, as 128-bit hashes in buckets of event time.
///
/// The hashes are keyed with the job's `HashKey`, so that nobody can choose ids that are taken for one. Earlier builds stored
/// unkeyed ones: those are asked for as well, until the last bucket that has some is forgotten.
///
/// A bucket is forgotten when the watermark has passed its end by the horizon. Stored is a record for every 32 ids of a
/// bucket (window start = the bucket's, key = a number counted from 0, 4 bytes, big-endian): an epoch writes its new ids
/// and at most 31 old ones a bucket again. Its one field is the byte 1 and the keyed hashes, or unkeyed hashes alone, so that
/// builds that know no key refuse it. All of them are held in memory: about 30 to 40 bytes an id.
final class DeduplicationIDs: StateTable {
    /// What is known of an id.
    enum Verdict {
        case new
        case repeated
        /// The event is older than what is remembered, so that nobody can say.
        case tooOld
    }

    private struct Bucket {
        let window: Window
        /// Of the first hash in `pending`.
        var record = 0
        /// The hashes of the last record as far as it is stored, then those that are new.
        var pending: [UInt8] = []
        var hasChanged = false
        /// Some of its records are of a build that knew no key.
        var hasUnkeyed = false

        /// How many ids it has at most: records of several partitions that came together may be full in part.
        var count: Int { record * DeduplicationIDs.idsInRecord + pending.count / DeduplicationIDs.hashSize }
    }

    let declaration: StateDeclaration
    private let horizon: EventSpan
    private let span: EventSpan
    private let key: HashKey
    private let hashed = HashedIDs()
    /// The hashes of builds that knew no key; nil once there are none.
    private var unkeyed: HashedIDs?
    /// In order of time; few.
    private var buckets: [Bucket] = []
    private var recent = 0
    private var count = 0
    private let limit: Int
    /// The starts of buckets forgotten since the last cut.
    private var closed: [EventTime] = []

    static let idsInRecord = StoredIDs.most
    private static let hashSize = StoredIDs.hashSize
    /// The largest number of a record: twice what the limit can lead to.
    private static let largestRecord = 2 * limit / idsInRecord
    /// More ids than this in one task are an error: 1.3 GiB of memory.
    static let limit = 1 << 25

    /// `bucket`: how much event time a bucket holds, at least a second.
    init(name: String, version: Int, horizon: EventSpan, bucket: EventSpan, key: HashKey, limit: Int = DeduplicationIDs.limit) {
        precondition(bucket >= .seconds(1), "a bucket of ids holds at least a second")
        declaration = StateDeclaration(
            schema: StateSchema(
                table: name, version: version, key: .windowAndKey, hasTimer: false, span: bucket, fields: StoredIDs.fields
            ), placement: .copiedByNumber)
        self.horizon = horizon
        self.key = key
        self.limit = limit
        span = bucket
    }

    /// Takes note of the id of an event at `time`, met at this watermark.
    func note(_ id: ByteView, at time: EventTime, watermark: EventTime) throws -> Verdict {
        let window = Window(containing: time, span: span)
        guard window.end + horizon > watermark else { return .tooOld }
        if let unkeyed, unkeyed.holds(murmur3(id), isLive: { isLive($0, at: watermark) }) { return .repeated }
        let hash = sipHash(id, key: key)
        guard hashed.insert(hash, bucket: number(of: window), isLive: { isLive($0, at: watermark) }) else { return .repeated }
        count += 1
        let bucket = bucket(of: window)
        withUnsafeBytes(of: hash.low.littleEndian) { buckets[bucket].pending += $0 }
        withUnsafeBytes(of: hash.high.littleEndian) { buckets[bucket].pending += $0 }
        buckets[bucket].hasChanged = true
        guard count <= limit else { throw TooManyIDs(table: schema.table, limit: limit) }
        return .new
    }

    private func isLive(_ bucket: Int32, at watermark: EventTime) -> Bool {
        EventTime(milliseconds: (Int64(bucket) + 1) * span.milliseconds) + horizon > watermark
    }

    /// Of windows of a second and more within 60 years of 1970, and of an hour within any that a time can hold.
    private func number(of window: Window) -> Int32 { Int32(clamping: window.start.milliseconds.floorDivided(by: span.milliseconds)) }

    private func bucket(of window: Window) -> Int {
        if recent < buckets.count, buckets[recent].window == window { return recent }
        recent = buckets.firstIndex { $0.window.start >= window.start } ?? buckets.count
        if recent == buckets.count || buckets[recent].window != window { buckets.insert(Bucket(window: window), at: recent) }
        return recent
    }

    /// Forgets the buckets that the watermark has passed by the horizon.
    func close(through watermark: EventTime) {
        while let bucket = buckets.first, bucket.window.end + horizon <= watermark { forget(bucket) }
    }

    private func forget(_ bucket: Bucket) {
        buckets.removeAll { $0.window == bucket.window }
        recent = 0
        count -= bucket.count
        if bucket.hasUnkeyed && !asksForUnkeyed { unkeyed = nil }
        closed.append(bucket.window.start)
    }

    /// Whether ids are asked for twice, because some that are remembered may be unkeyed.
    var asksForUnkeyed: Bool { buckets.contains(where: \.hasUnkeyed) }

    // MARK: - As a state table

    var memoryBytes: Int { hashed.memoryBytes + (unkeyed?.memoryBytes ?? 0) + buckets.reduce(0) { $0 + $1.pending.capacity } }
    var isHeldWhole: Bool { true }
    func noteUnloaded(_ key: ByteView) -> Bool { false }
    func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int { 0 }

    func cut() -> StateDelta? {
        guard !closed.isEmpty || buckets.contains(where: \.hasChanged) else { return nil }
        var records = ByteWriter(capacity: 4096)
        var stored: UInt64 = 0
        for index in buckets.indices where buckets[index].hasChanged { stored += write(&buckets[index], into: &records) }
        var delta = ByteWriter(capacity: records.count + 64)
        delta.write(byte: StateDelta.format)
        delta.write(varint: UInt64(closed.count))
        for start in closed { WindowKey.write(start, into: &delta) }
        delta.write(varint: 0)
        delta.write(varint: stored)
        delta.write(raw: records.view)
        closed.removeAll()
        return StateDelta(table: schema.table, bytes: delta.copy())
    }

    /// Writes the records that have changed, and keeps the hashes of the last one unless it is full. Returns how many.
    private func write(_ bucket: inout Bucket, into records: inout ByteWriter) -> UInt64 {
        let size = DeduplicationIDs.idsInRecord * DeduplicationIDs.hashSize
        var field = ByteWriter(capacity: size + 3)
        bucket.pending.withUnsafeBytes { pending in
            for start in stride(from: 0, to: pending.count, by: size) {
                records.write(varint: 12)
                WindowKey.write(bucket.window.start, into: &records)
                records.write(fixed: UInt32(bucket.record + start / size).byteSwapped)
                field.removeAll()
                let hashes = UnsafeRawBufferPointer(rebasing: pending[start..<min(start + size, pending.count)])
                field.write(varint: UInt64(hashes.count) + 1)
                field.write(byte: StoredIDs.keyedMark)
                field.write(raw: ByteView(hashes))
                records.write(text: field.view)
            }
        }
        let full = bucket.pending.count / size
        let written = UInt64((bucket.pending.count + size - 1) / size)
        bucket.pending.removeFirst(full * size)
        bucket.record += full
        bucket.hasChanged = false
        return written
    }

    func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool {
        switch change {
        case .windowClosed(let prefix):
            guard let start = WindowKey.start(of: prefix) else { return false }
            if let bucket = buckets.first(where: { $0.window.start == start }) { forget(bucket) }
            closed.removeAll()
            return true
        case .removed: return false
        case .stored(let key, let record): return restore(key, record)
        }
    }

    private func restore(_ key: ByteView, _ record: ByteView) -> Bool {
        guard let start = WindowKey.start(of: key), key.count == 12 else { return false }
        var reader = ByteReader(WindowKey.bareKey(of: key))
        let number = Int(reader.fixed(UInt32.self).byteSwapped)
        guard number <= DeduplicationIDs.largestRecord, let stored = StoredIDs(record) else { return false }
        let (hashes, isKeyed) = (stored.hashes, stored.isKeyed)
        let window = Window(start: start, end: start + span)
        let bucket = bucket(of: window)
        if !isKeyed { buckets[bucket].hasUnkeyed = true }
        let table = isKeyed ? hashed : unkeyed ?? HashedIDs()
        if !isKeyed { unkeyed = table }
        var each = ByteReader(hashes)
        while !each.isAtEnd {
            let low: UInt64 = each.fixed()
            table.add(Hash128(low: low, high: each.fixed()), bucket: self.number(of: window))
        }
        guard number >= buckets[bucket].record else { return true }
        let before = buckets[bucket].count
        // The last record, or a later version of it: what is stored next goes on in it, and behind it where it is unkeyed.
        buckets[bucket].record = isKeyed ? number : number + 1
        buckets[bucket].pending = isKeyed ? hashes.copy() : []
        count += buckets[bucket].count - before
        return true
    }
}

/// A task would have to remember more ids than it may.
struct TooManyIDs: Failure {
    let kind = FailureKind.invalid
    let message: String
    let cause: (any Error)? = nil

    init(table: String, limit: Int) {
        message =
            "\(table): more than \(limit) ids lie within the time that they are remembered for, in one partition; set a shorter horizon, or start anew with the topic spread over more partitions"
    }
}
