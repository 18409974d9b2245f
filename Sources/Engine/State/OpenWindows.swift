/// The open windows of one windowed state table, earliest first; what is not generic over the record.
@usableFromInline
final class OpenWindows {
    /// Of each window, however many there are.
    private static let leastReleased = 64

    private struct Open {
        let window: Window
        let table: KeyedTable
        /// True when the durable file may hold keys of this window that are not in memory.
        var mayHaveCold: Bool { !table.isComplete }
    }

    /// Where a key's record is, between `find` and `store`.
    @usableFromInline
    struct Slot {
        @usableFromInline let table: KeyedTable
        let hash: UInt64
        @usableFromInline let entry: Int
        @usableFromInline let isNew: Bool
        @usableFromInline let record: ByteView
    }

    private let span: EventSpan
    private let task: TaskID
    private let tableName: String
    private let cold: any ColdStateReader
    private var open: [Open] = []
    private var recent = 0
    /// Windows closed since the last cut that the durable file may know.
    private var closed: [EventTime] = []
    private var coldRecord: [UInt8] = []
    private var cuts: UInt32 = 1

    init(span: EventSpan, task: TaskID, table: String, cold: any ColdStateReader) {
        self.span = span
        self.task = task
        tableName = table
        self.cold = cold
    }

    @usableFromInline var first: Window? { open.first?.window }
    var last: Window? { open.last?.window }
    var memoryBytes: Int { open.reduce(0) { $0 + $1.table.memoryBytes } }

    /// Whether the window is open; opens none.
    @usableFromInline func isOpen(_ window: Window) -> Bool { open.contains { $0.window == window } }

    private func table(of window: Window) -> KeyedTable {
        if recent < open.count, open[recent].window == window { return open[recent].table }
        var position = open.count
        while position > 0 && open[position - 1].window.start >= window.start { position -= 1 }
        if position == open.count || open[position].window != window {
            let table = KeyedTable()
            table.currentEpoch = cuts
            open.insert(Open(window: window, table: table), at: position)
        }
        recent = position
        return open[position].table
    }

    private func storedKey(_ window: Window, _ key: ByteView) -> [UInt8] {
        var writer = ByteWriter(capacity: WindowKey.prefixLength + key.count)
        WindowKey.write(window.start, into: &writer)
        writer.write(raw: key)
        return writer.copy()
    }

    @usableFromInline
    func find(_ key: ByteView, in window: Window) throws -> Slot {
        let table = table(of: window)
        let hash = table.hash(of: key)
        switch table.lookup(key, hash: hash) {
        case .record(let record, let entry): return Slot(table: table, hash: hash, entry: entry, isNew: false, record: record)
        case .absent: return Slot(table: table, hash: hash, entry: -1, isNew: true, record: .null)
        case .unknown:
            var found = false
            try storedKey(window, key).withUnsafeBytes { stored in
                try cold.read(task: task, table: tableName, key: ByteView(stored)) { record in
                    found = true
                    coldRecord = record.copy()
                }
            }
            guard found else { return Slot(table: table, hash: hash, entry: -1, isNew: true, record: .null) }
            let record = coldRecord.withUnsafeBufferPointer { ByteView(start: $0.baseAddress, count: $0.count) }
            return Slot(table: table, hash: hash, entry: -1, isNew: false, record: record)
        }
    }

    @usableFromInline
    func store(_ record: ByteView, at slot: Slot, for key: ByteView) {
        if slot.entry >= 0 { slot.table.replace(slot.entry, with: record) } else { slot.table.store(record, for: key, hash: slot.hash) }
    }

    @usableFromInline
    func forEachRecord(of window: Window, _ body: (ByteView, ByteView) -> Void) throws {
        guard let open = open.first(where: { $0.window == window }) else { return }
        open.table.forEach(body)
        guard open.mayHaveCold else { return }
        // `body` may ask for other evicted records, which a scan under way does not allow: so the evicted part of this
        // window is held for as long as it takes to close it.
        var evicted = ByteWriter()
        try storedKey(window, .null).withUnsafeBytes { prefix in
            try cold.scan(task: task, table: tableName, prefix: ByteView(prefix)) { stored, record in
                let key = ByteView(start: stored.start.map { $0 + 8 }, count: stored.count - 8)
                guard case .unknown = open.table.lookup(key, hash: open.table.hash(of: key)) else { return }
                evicted.write(text: key)
                evicted.write(text: record)
            }
        }
        var reader = ByteReader(evicted.view)
        while !reader.isAtEnd {
            let key = reader.text()
            body(key, reader.text())
        }
    }

    @usableFromInline
    func remove(_ window: Window) {
        open.removeAll { $0.window == window }
        recent = 0
        closed.append(window.start)
    }

    func cut() -> StateDelta? {
        cuts += 1
        guard !closed.isEmpty || open.contains(where: { $0.table.hasChanges }) else {
            for window in open { window.table.takeChanges(removed: { _ in }, stored: { _, _ in }) }
            return nil
        }
        var records = ByteWriter(capacity: 4096)
        var stored: UInt64 = 0
        for window in open {
            window.table.takeChanges(removed: { _ in }) { key, record in
                stored += 1
                records.write(varint: UInt64(WindowKey.prefixLength + key.count))
                WindowKey.write(window.window.start, into: &records)
                records.write(raw: key)
                records.write(text: record)
            }
        }
        var delta = ByteWriter(capacity: records.count + 64)
        delta.write(byte: StateDelta.format)
        delta.write(varint: UInt64(closed.count))
        for start in closed { WindowKey.write(start, into: &delta) }
        delta.write(varint: 0)
        delta.write(varint: stored)
        delta.write(raw: records.view)
        closed.removeAll()
        return StateDelta(table: tableName, bytes: delta.copy())
    }

    func noteUnloaded(_ key: ByteView) -> Bool {
        guard let start = WindowKey.start(of: key) else { return false }
        table(of: Window(start: start, end: start + span)).markIncomplete()
        return true
    }

    func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool {
        switch change {
        case .windowClosed(let prefix):
            guard let start = WindowKey.start(of: prefix) else { return false }
            open.removeAll { $0.window.start == start }
            recent = 0
            return true
        case .removed:
            return false
        case .stored(let key, let record):
            guard let start = WindowKey.start(of: key) else { return false }
            table(of: Window(start: start, end: start + span)).load(
                record, for: WindowKey.bareKey(of: key), changedIn: isCompacted ? 0 : cuts)
            return true
        }
    }

    /// `limit`: how many records are looked at, in all windows.
    func release(compactedThrough epoch: UInt32, evicting bytes: Int, lookingAt limit: Int) -> Int {
        var given = 0
        let share = max(limit / max(open.count, 1), OpenWindows.leastReleased)
        // The latest windows are the least likely to be looked at next when data is replayed in order of time.
        for window in open.reversed() where given < bytes {
            given += window.table.evict(bytes - given, compactedThrough: epoch, lookingAt: share)
        }
        return given
    }
}
