/// Records by key with one optional timer a key; the timer is stored in front of the record, so both change as one.
public final class KeyedState<Record: StateRecord>: StateTable {
    public let declaration: StateDeclaration
    @usableFromInline let name: String
    @usableFromInline let task: TaskID
    @usableFromInline let cold: any ColdStateReader
    @usableFromInline let table = KeyedTable()
    @usableFromInline var timers = TimerQueue()
    @usableFromInline var keyed = Keyed(record: Record())
    @usableFromInline var encoder = FieldEncoder()
    @usableFromInline var coldRecord: [UInt8] = []
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

    /// Loads the key's record (a fresh one when there is none), lets `body` change it, and stores or removes it.
    /// `isFiring`: the key's timer was taken from the queue, so that whatever timer it has afterwards is new there.
    @inlinable
    func update(_ key: ByteView, isFiring: Bool = false, _ body: (inout Keyed<Record>) -> Void) throws {
        let hash = tableHash(key)
        let (isThere, entry) = try load(key, hash: hash)
        if !isThere {
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
    func timer(of key: ByteView) throws -> EventTime? { try load(key, hash: tableHash(key)).isThere ? keyed.timer : nil }

    /// Loads the key's record and timer into `keyed`, from memory or from the file. `entry`: its number in the table, -1
    /// when it is not there.
    @inlinable
    func load(_ key: ByteView, hash: UInt64) throws -> (isThere: Bool, entry: Int) {
        switch table.lookup(key, hash: hash) {
        case .absent: return (false, -1)
        case .record(let bytes, let entry):
            try decode(bytes, key)
            return (true, entry)
        case .unknown:
            var found = false
            try cold.read(task: task, table: name, key: key) { record in
                found = true
                coldRecord = record.copy()
            }
            if found { try coldRecord.withUnsafeBytes { try decode(ByteView($0), key) } }
            return (found, -1)
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

    public var memoryBytes: Int { table.memoryBytes + timers.memoryBytes }

    public func noteUnloaded(_ key: ByteView) -> Bool {
        table.markIncomplete()
        return true
    }

    public func cut() -> StateDelta? {
        cuts += 1
        let hadChanges = table.hasChanges
        var removals = ByteWriter(capacity: 64)
        var records = ByteWriter(capacity: 4096)
        var (removed, stored): (UInt64, UInt64) = (0, 0)
        table.takeChanges(removed: { key in
            removed += 1
            removals.write(text: key)
        }, stored: { key, record in
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

    public func restore(_ change: StateDelta.Change, isFolded: Bool) -> Bool {
        switch change {
        case .windowClosed: return false
        case .removed(let key): table.unload(key)
        case .stored(let key, let record):
            var before: EventTime?
            if case .record(let old, _) = table.lookup(key, hash: tableHash(key)) {
                guard FieldDecoder.decode(old, timer: &before, into: &keyed.record) else { return false }
            }
            guard decode(record) else { return false }
            table.load(record, for: key, changedIn: isFolded ? 0 : cuts)
            if let timer = keyed.timer, before.map({ timer < $0 }) ?? true { timers.add(timer, key: key) }
        }
        return true
    }

    public func release(foldedThrough epoch: UInt32, evicting bytes: Int) -> Int {
        if epoch > forgottenThrough { table.forgetTombstones(foldedThrough: epoch) }
        forgottenThrough = epoch
        return bytes > 0 ? table.evict(bytes, foldedThrough: epoch, lookingAt: Self.recordsReleasedAtOnce) : 0
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
        return !decoder.reader.failed && decoder.reader.isAtEnd
    }
}
