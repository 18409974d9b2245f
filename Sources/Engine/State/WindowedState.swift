/// Records by window and key: one table in memory per open window, dropped whole when the window closes.
@usableFromInline package final class WindowedState<Record: StateRecord>: StateTable {
    @usableFromInline package let declaration: StateDeclaration
    @usableFromInline let name: String
    @usableFromInline let span: EventSpan
    @usableFromInline let windows: OpenWindows
    @usableFromInline var record = Record()
    @usableFromInline var encoder = FieldEncoder()
    @usableFromInline var large = LargeRecords<Record>()
    @usableFromInline var names = NameBounds()

    @usableFromInline
    init(_ declaration: StateDeclaration, task: TaskID, cold: any ColdStateReader) {
        guard let span = declaration.schema.span, span.milliseconds > 0 else { preconditionFailure("a window has a length") }
        self.declaration = declaration
        self.span = span
        name = declaration.schema.table
        windows = OpenWindows(span: span, task: task, table: name, cold: cold)
    }

    /// Loads the key's record in the window (a fresh one when there is none), lets `body` change it, and stores it.
    @inlinable
    func update(_ key: ByteView, in window: Window, _ body: (inout Record) -> Void) throws {
        let slot = try windows.find(key, in: window)
        if slot.record.count >= LargeRecords<Record>.leastBytes, slot.entry >= 0 {
            let place = try hold(slot, key)
            body(&large.held[place].value)
            return
        }
        if slot.isNew {
            record.reset()
        } else if !FieldDecoder.decode(slot.record, into: &record) {
            throw StateDamage(table: name, key: key.copy())
        }
        body(&record)
        windows.store(encoder.encode(&record), at: slot, for: key)
    }

    /// As `update`, of a record that is there. False, and nothing done, when there is none.
    @inlinable
    func amend(_ key: ByteView, in window: Window, _ body: (inout Record) -> Void) throws -> Bool {
        guard windows.isOpen(window), try !windows.find(key, in: window).isNew else { return false }
        try update(key, in: window, body)
        return true
    }

    /// Where the large record of a slot is held, which is going to be changed.
    @inlinable
    func hold(_ slot: OpenWindows.Slot, _ key: ByteView) throws -> Int {
        slot.table.willChange(slot.entry)
        if let place = large.find(slot.table, slot.entry) { return place }
        var value = Record()
        guard FieldDecoder.decode(slot.record, into: &value) else { throw StateDamage(table: name, key: key.copy()) }
        value.fields(&names)
        let bytes = slot.record.count
        while !large.hasRoom(for: bytes) { letGo(large.oldest) }
        return large.add(value, of: slot.table, slot.entry, bytes: bytes)
    }

    /// Stores a held record as it is now, and holds it no longer.
    @usableFromInline
    func letGo(_ place: Int) {
        large.held[place].value.fields(&names)
        names.noteVisited(large.held[place].table.key(of: large.held[place].entry))
        large.held[place].table.replace(large.held[place].entry, with: encoder.encode(&large.held[place].value))
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

    /// Stores a fresh record under the key unless it has one in the window. True when it had none.
    func insert(_ key: ByteView, in window: Window) throws -> Bool {
        let slot = try windows.find(key, in: window)
        guard slot.isNew else { return false }
        record.reset()
        windows.store(encoder.encode(&record), at: slot, for: key)
        return true
    }

    /// Closes every window that ends at or before `watermark`, whatever is in it.
    func forget(through watermark: EventTime) {
        letAllGo()
        while let window = windows.first, window.end <= watermark { windows.remove(window) }
    }

    /// Closes every window that ends at or before `watermark`, in order, handing each of its records to `body`.
    @inlinable
    func close(through watermark: EventTime, _ body: (Window, ByteView, inout Record) -> Void) throws {
        if let first = windows.first, first.end <= watermark { letAllGo() }
        while let window = windows.first, window.end <= watermark {
            var damaged: [UInt8]?
            try windows.forEachRecord(of: window) { key, bytes in
                if FieldDecoder.decode(bytes, into: &record) {
                    body(window, key, &record)
                } else {
                    damaged = key.copy()
                }
            }
            if let damaged { throw StateDamage(table: name, key: damaged) }
            windows.remove(window)
        }
    }

    @inlinable var firstOpenWindowEnd: EventTime? { windows.first?.end }
    @usableFromInline package var lastOpenWindowEnd: EventTime? { windows.last?.end }
    @usableFromInline package var memoryBytes: Int { windows.memoryBytes + large.bytes }

    @usableFromInline package func cut() -> StateDelta? {
        letAllGo()
        return windows.cut()
    }

    @usableFromInline package func noteUnloaded(_ key: ByteView) -> Bool { windows.noteUnloaded(key) }

    @usableFromInline package func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool {
        windows.restore(change, isCompacted: isCompacted)
    }

    @usableFromInline package func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int {
        letAllGo()
        return windows.release(compactedThrough: epoch, evicting: bytes, lookingAt: Self.recordsReleasedAtOnce)
    }
}

/// A stored record that does not decode: the file is damaged, or was written by other code under the same version.
@usableFromInline package struct StateDamage: Failure {
    @usableFromInline package let kind = FailureKind.corrupt
    @usableFromInline package let message: String
    @usableFromInline package let cause: (any Error)? = nil

    @usableFromInline
    init(table: String, key: [UInt8]) {
        let shown = String(decoding: key.prefix(64), as: UTF8.self)
        message =
            "state table \(table): the record of key '\(shown)' is damaged; keep the state directory for examination, and go on from a copy of it made before the damage, or start with an empty one and new tables"
    }
}
