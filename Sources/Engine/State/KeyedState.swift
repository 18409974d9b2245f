/// Records by key with one optional timer a key; the timer is stored in front of the record, so both change as one.
@usableFromInline package final class KeyedState<Record: StateRecord>: StateTable {
    @usableFromInline package let declaration: StateDeclaration
    @usableFromInline let name: String
    @usableFromInline let task: TaskID
    @usableFromInline let cold: any ColdStateReader
    @usableFromInline let table = KeyedTable()
    @usableFromInline var timers = TimerQueue()
    @usableFromInline var keyed = Keyed(record: Record())
    @usableFromInline var encoder = FieldEncoder()
    @usableFromInline var coldRecord: [UInt8] = []
    @usableFromInline var large = LargeRecords<Keyed<Record>>()
    @usableFromInline var names = NameBounds()
    private var cuts: UInt32 = 1
    private var forgottenThrough: UInt32 = 0

    @usableFromInline
    init(_ declaration: StateDeclaration, task: TaskID, cold: any ColdStateReader) {
        self.declaration = declaration
        name = declaration.schema.table
        self.task = task
        self.cold = cold
    }

    /// The time of the earliest timer that may be due.
    @inlinable var nextTimer: EventTime { timers.next }
    @usableFromInline package var earliestTimer: EventTime? { nextTimer == .distantFuture ? nil : nextTimer }

    /// Loads the key's record (a fresh one when there is none), lets `body` change it, and stores or removes it.
    /// `isFiring`: the key's timer was taken from the queue, so that whatever timer it has afterwards is new there.
    @inlinable
    func update(_ key: ByteView, isFiring: Bool = false, _ body: (inout Keyed<Record>) -> Void) throws {
        let hash = table.hash(of: key)
        let (found, entry) = try find(key, hash: hash)
        if let found {
            if found.count >= LargeRecords<Keyed<Record>>.leastBytes, entry >= 0 {
                return try updateLarge(try hold(found, entry, key), key, hash: hash, isFiring: isFiring, body)
            }
            try decode(found, key)
        } else {
            keyed.record.reset()
            keyed.timer = nil
        }
        keyed.isRemoved = false
        if isFiring { keyed.timer = nil }
        let before = keyed.timer
        body(&keyed)
        if keyed.isRemoved {
            table.remove(key, hash: hash)
            return
        }
        let encoded = encoder.encode(timer: keyed.timer, &keyed.record)
        if entry >= 0 { table.replace(entry, with: encoded) } else { table.store(encoded, for: key, hash: hash) }
        if let timer = keyed.timer, before.map({ timer < $0 }) ?? true { timers.add(timer, key: key) }
    }

    /// Whether there is a record of the key; stores nothing.
    func holds(_ key: ByteView) throws -> Bool { try find(key, hash: table.hash(of: key)).record != nil }

    @inlinable
    func updateLarge(_ place: Int, _ key: ByteView, hash: UInt64, isFiring: Bool, _ body: (inout Keyed<Record>) -> Void) throws {
        large.held[place].value.isRemoved = false
        if isFiring { large.held[place].value.timer = nil }
        let before = large.held[place].value.timer
        body(&large.held[place].value)
        if large.held[place].value.isRemoved {
            large.held[place].value.record.fields(&names)
            names.noteVisited(key)
            large.remove(place)
            table.remove(key, hash: hash)
            return
        }
        if let timer = large.held[place].value.timer, before.map({ timer < $0 }) ?? true { timers.add(timer, key: key) }
    }

    /// Where the large record of an entry is held, which is going to be changed.
    @inlinable
    func hold(_ bytes: ByteView, _ entry: Int, _ key: ByteView) throws -> Int {
        table.willChange(entry)
        if let place = large.find(table, entry) { return place }
        var value = Keyed(record: Record())
        guard FieldDecoder.decode(bytes, timer: &value.timer, into: &value.record) else { throw StateDamage(table: name, key: key.copy()) }
        value.record.fields(&names)
        let count = bytes.count
        while !large.hasRoom(for: count) { letGo(large.oldest) }
        return large.add(value, of: table, entry, bytes: count)
    }

    /// Stores a held record as it is now, and holds it no longer.
    @usableFromInline
    func letGo(_ place: Int) {
        large.held[place].value.record.fields(&names)
        names.noteVisited(table.key(of: large.held[place].entry))
        table.replace(large.held[place].entry, with: encoder.encode(timer: large.held[place].value.timer, &large.held[place].value.record))
        large.remove(place)
    }

    /// Everything is stored as it is now.
    @inlinable
    func letAllGo() {
        while !large.held.isEmpty { letGo(large.held.count - 1) }
    }

    @usableFromInline package var namesPerRecord: Int {
        get { names.limit }
        set { names.limit = newValue }
    }

    @usableFromInline package func takeNamesLeftOut() -> NamesLeftOut? { names.takeLeftOut(of: name) }

    /// Fires every timer due at or before `watermark`, in order of time, then of key.
    @inlinable
    func fireTimers(through watermark: EventTime, _ body: (EventTime, ByteView, inout Keyed<Record>) -> Void) throws {
        while let due = timers.take(through: watermark) {
            try due.key.withUnsafeBytes { raw in
                let key = ByteView(raw)
                // The queue's entry is a hint: the record says when its timer is really due, if at all. A later one
                // waits for its turn, so that timers fire in order.
                guard let timer = try timer(of: key) else { return }
                guard timer <= due.time else {
                    timers.add(timer, key: key)
                    return
                }
                try update(key, isFiring: true) { body(timer, key, &$0) }
            }
        }
    }

    @inlinable
    func timer(of key: ByteView) throws -> EventTime? {
        let (found, entry) = try find(key, hash: table.hash(of: key))
        guard let found else { return nil }
        if let place = large.find(table, entry) { return large.held[place].value.timer }
        try decode(found, key)
        return keyed.timer
    }

    /// The key's stored record, from memory or from the file, valid until the next call. `entry`: its number in the table, -1
    /// when it is not there.
    @inlinable
    func find(_ key: ByteView, hash: UInt64) throws -> (record: ByteView?, entry: Int) {
        switch table.lookup(key, hash: hash) {
        case .absent: return (nil, -1)
        case .record(let bytes, let entry): return (bytes, entry)
        case .unknown:
            var found = false
            try cold.read(task: task, table: name, key: key) { record in
                found = true
                coldRecord = record.copy()
            }
            guard found else { return (nil, -1) }
            return (coldRecord.withUnsafeBufferPointer { ByteView(start: $0.baseAddress, count: $0.count) }, -1)
        }
    }

    @inlinable
    func decode(_ bytes: ByteView, _ key: ByteView) throws {
        guard decode(bytes) else { throw StateDamage(table: name, key: key.copy()) }
    }

    /// Loads `keyed` from a stored record. False when it is damaged.
    @inlinable
    func decode(_ bytes: ByteView) -> Bool {
        // The timer on its own: two members of `keyed` can't be passed as inout at once.
        var timer: EventTime?
        guard FieldDecoder.decode(bytes, timer: &timer, into: &keyed.record) else { return false }
        keyed.timer = timer
        return true
    }

    @usableFromInline package var memoryBytes: Int { table.memoryBytes + timers.memoryBytes + large.bytes }

    @usableFromInline package func noteUnloaded(_ key: ByteView) -> Bool {
        table.markIncomplete()
        return true
    }

    @usableFromInline package func cut() -> StateDelta? {
        letAllGo()
        cuts += 1
        let hadChanges = table.hasChanges
        var removals = ByteWriter(capacity: 64)
        var records = ByteWriter(capacity: 4096)
        var (removed, stored): (UInt64, UInt64) = (0, 0)
        table.takeChanges(
            removed: { key in
                removed += 1
                removals.write(text: key)
            },
            stored: { key, record in
                stored += 1
                records.write(text: key)
                records.write(text: record)
            })
        guard hadChanges else { return nil }
        var delta = ByteWriter(capacity: removals.count + records.count + 32)
        delta.write(byte: StateDelta.format)
        delta.write(varint: 0)
        delta.write(varint: removed)
        delta.write(raw: removals.view)
        delta.write(varint: stored)
        delta.write(raw: records.view)
        return StateDelta(table: name, bytes: delta.copy())
    }

    @usableFromInline package func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool {
        switch change {
        case .windowClosed: return false
        case .removed(let key): table.unload(key)
        case .stored(let key, let record):
            var before: EventTime?
            if case .record(let old, _) = table.lookup(key, hash: table.hash(of: key)) {
                guard FieldDecoder.decode(old, timer: &before, into: &keyed.record) else { return false }
            }
            guard decode(record) else { return false }
            table.load(record, for: key, changedIn: isCompacted ? 0 : cuts)
            if let timer = keyed.timer, before.map({ timer < $0 }) ?? true { timers.add(timer, key: key) }
        }
        return true
    }

    @usableFromInline package func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int {
        letAllGo()
        if epoch > forgottenThrough { table.forgetTombstones(compactedThrough: epoch) }
        forgottenThrough = epoch
        return bytes > 0 ? table.evict(bytes, compactedThrough: epoch, lookingAt: Self.recordsReleasedAtOnce) : 0
    }
}

extension FieldEncoder {
    /// The encoded timer and record, valid until the next call.
    @inlinable
    mutating func encode<Record: StateRecord>(timer: EventTime?, _ record: inout Record) -> ByteView {
        writer.removeAll()
        writer.write(zigzag: timer?.milliseconds ?? .max)
        record.fields(&self)
        return writer.view
    }
}

extension FieldDecoder {
    /// Reads what `encode(timer:_:)` wrote. False when the bytes are damaged.
    @inlinable
    static func decode<Record: StateRecord>(_ bytes: ByteView, timer: inout EventTime?, into record: inout Record) -> Bool {
        var decoder = FieldDecoder(reader: ByteReader(bytes))
        let due = decoder.reader.zigzag()
        timer = due == .max ? nil : EventTime(milliseconds: due)
        record.fields(&decoder)
        return !decoder.reader.failed && decoder.reader.isAtEnd && record.isSound
    }
}
