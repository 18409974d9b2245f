/// The ids of the events that a task has processed lately, as 128-bit hashes in buckets of event time.
///
/// A bucket is forgotten when the watermark has passed its end by the horizon. Stored is a record for every 32 ids of a
/// bucket (window start = the bucket's, key = a number counted from 0, 4 bytes, big-endian): an epoch writes its new ids
/// and at most 31 old ones a bucket again. All of them are held in memory: about 30 to 40 bytes an id.
final class RecentIDs: StateTable {
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
    }

    let declaration: StateDeclaration
    private let horizon: EventSpan
    private let span: EventSpan
    private let hashed = HashedIDs()
    /// In order of time; few.
    private var buckets: [Bucket] = []
    private var recent = 0
    private var count = 0
    private let limit: Int
    /// The starts of buckets forgotten since the last cut.
    private var closed: [EventTime] = []

    static let idsInRecord = 32
    private static let hashSize = 16
    /// More ids than this in one task are an error: 1.3 GiB of memory.
    static let limit = 1 << 25

    /// `bucket`: how much event time a bucket holds, at least a second.
    init(name: String, version: Int, horizon: EventSpan, bucket: EventSpan, limit: Int = RecentIDs.limit) {
        precondition(bucket >= .seconds(1), "a bucket of ids holds at least a second")
        declaration = StateDeclaration(schema: StateSchema(
            table: name, version: version, key: .windowAndKey, hasTimer: false, span: bucket, fields: [StateField(name: "hashes", type: .text)]
        ), placement: .copiedByNumber)
        self.horizon = horizon
        self.limit = limit
        span = bucket
    }

    /// Takes note of the id of an event at `time`, met at this watermark.
    func note(_ id: ByteView, at time: EventTime, watermark: EventTime) throws -> Verdict {
        let window = Window(containing: time, span: span)
        guard window.end + horizon > watermark else { return .tooOld }
        let hash = murmur3(id)
        guard insert(hash, in: window, watermark: watermark) else { return .repeated }
        let bucket = bucket(of: window)
        withUnsafeBytes(of: hash.low.littleEndian) { buckets[bucket].pending += $0 }
        withUnsafeBytes(of: hash.high.littleEndian) { buckets[bucket].pending += $0 }
        buckets[bucket].hasChanged = true
        guard count <= limit else { throw TooManyIDs(table: schema.table, limit: limit) }
        return .new
    }

    private func insert(_ hash: Hash128, in window: Window, watermark: EventTime) -> Bool {
        let isNew = hashed.insert(hash, bucket: number(of: window)) { number in
            EventTime(milliseconds: (Int64(number) + 1) * span.milliseconds) + horizon > watermark
        }
        if isNew { count += 1 }
        return isNew
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
        count -= bucket.record * RecentIDs.idsInRecord + bucket.pending.count / RecentIDs.hashSize
        closed.append(bucket.window.start)
    }

    // MARK: - As a state table

    var memoryBytes: Int { hashed.memoryBytes + buckets.reduce(0) { $0 + $1.pending.capacity } }
    var isHeldWhole: Bool { true }
    func noteUnloaded(_ key: ByteView) -> Bool { false }
    func release(foldedThrough epoch: UInt32, evicting bytes: Int) -> Int { 0 }

    func cut() -> StateDelta? {
        guard !closed.isEmpty || buckets.contains(where: \.hasChanged) else { return nil }
        var records = ByteWriter(capacity: 4096)
        var stored: UInt64 = 0
        for index in buckets.indices where buckets[index].hasChanged { stored += write(&buckets[index], into: &records) }
        var delta = ByteWriter(capacity: records.count + 64)
        delta.write(byte: StateDelta.format)
        delta.write(varint: UInt64(closed.count))
        for start in closed { WindowPrefix.write(start, into: &delta) }
        delta.write(varint: 0)
        delta.write(varint: stored)
        delta.write(raw: records.view)
        closed.removeAll()
        return StateDelta(table: schema.table, bytes: delta.copy())
    }

    /// Writes the records that have changed, and keeps the hashes of the last one unless it is full. Returns how many.
    private func write(_ bucket: inout Bucket, into records: inout ByteWriter) -> UInt64 {
        let size = RecentIDs.idsInRecord * RecentIDs.hashSize
        var field = ByteWriter(capacity: size + 2)
        bucket.pending.withUnsafeBytes { pending in
            for start in stride(from: 0, to: pending.count, by: size) {
                records.write(varint: 12)
                WindowPrefix.write(bucket.window.start, into: &records)
                records.write(fixed: UInt32(bucket.record + start / size).byteSwapped)
                field.removeAll()
                field.write(text: ByteView(UnsafeRawBufferPointer(rebasing: pending[start..<min(start + size, pending.count)])))
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

    func restore(_ change: StateDelta.Change, isFolded: Bool) -> Bool {
        switch change {
        case .windowClosed(let prefix):
            guard let start = WindowPrefix.read(prefix) else { return false }
            if let bucket = buckets.first(where: { $0.window.start == start }) { forget(bucket) }
            closed.removeAll()
            return true
        case .removed: return false
        case .stored(let key, let record): return restore(key, record)
        }
    }

    private func restore(_ key: ByteView, _ record: ByteView) -> Bool {
        guard let start = WindowPrefix.read(key), key.count == 12 else { return false }
        var reader = ByteReader(ByteView(start: key.start.map { $0 + 8 }, count: 4))
        let number = Int(reader.fixed(UInt32.self).byteSwapped)
        reader = ByteReader(record)
        let hashes = reader.text()
        guard !reader.failed, reader.isAtEnd, hashes.count % RecentIDs.hashSize == 0, hashes.count <= RecentIDs.idsInRecord * RecentIDs.hashSize else { return false }
        let window = Window(start: start, end: start + span)
        let bucket = bucket(of: window)
        var each = ByteReader(hashes)
        while !each.isAtEnd {
            let low: UInt64 = each.fixed()
            _ = hashed.insert(Hash128(low: low, high: each.fixed()), bucket: self.number(of: window)) { _ in true }
        }
        guard number >= buckets[bucket].record else { return true }
        // The last record, or a later version of it: what is stored next goes on behind it.
        let before = buckets[bucket].record * RecentIDs.idsInRecord + buckets[bucket].pending.count / RecentIDs.hashSize
        buckets[bucket].record = number
        buckets[bucket].pending = hashes.copy()
        count += number * RecentIDs.idsInRecord + hashes.count / RecentIDs.hashSize - before
        return true
    }
}

/// A task would have to remember more ids than it may.
struct TooManyIDs: Failure {
    let kind = FailureKind.invalid
    let message: String
    let cause: (any Error)? = nil

    init(table: String, limit: Int) {
        message = "\(table): more than \(limit) ids lie within the time that they are remembered for, in one partition; set a shorter horizon, or start anew with the topic spread over more partitions"
    }
}
