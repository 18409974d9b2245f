import Engine

/// A record that was looked up; its bytes are its own.
public struct FoundRecord: Sendable {
    public let table: StoredTable
    public let partition: Int
    public let storedKey: [UInt8]
    public let record: [UInt8]

    /// Where the record's window starts; nil in a table without windows.
    public var window: EventTime? { withRow { $0.window } }

    /// Hands the record over as a scan does.
    public func withRow<Result>(_ body: (StateRow) throws -> Result) rethrows -> Result {
        try storedKey.withUnsafeBytes { key in
            try record.withUnsafeBytes { record in
                try body(StateRow(table: table, partition: partition, storedKey: ByteView(key), record: ByteView(record)))
            }
        }
    }
}

extension StateReader {
    /// The records of a key: at most one a partition and window, in order of partitions, then windows.
    ///
    /// Reads a few pages of compacted records and goes once through the deltas that are not compacted yet.
    public func lookup(_ key: [UInt8], in table: StoredTable, window: EventTime? = nil) throws -> [FoundRecord] {
        try tasks(of: table.stage).flatMap { task in
            var records = try compacted(key, window, task, table)
            try applyUncompacted(to: &records, key, window, task, table)
            return records.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
                FoundRecord(table: table, partition: task.id.partition, storedKey: $0.key, record: $0.value)
            }
        }
    }

    private func compacted(_ key: [UInt8], _ window: EventTime?, _ task: StoredTask, _ table: StoredTable) throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        let exact = try Statement(database, "SELECT record FROM keyed WHERE task = ? AND state_table = ? AND key = ?")
        for prefix in try prefixes(window, task, table) {
            let stored = prefix + key
            try stored.withUnsafeBytes { bytes in
                try exact.bind(.integer(task.number), .integer(table.id), .blob(ByteView(bytes)))
                defer { exact.reset() }
                if try exact.step() { found[stored] = exact.blob(0).copy() }
            }
        }
        return found
    }

    /// What may lead the key: nothing, the window asked for, or every window with compacted records.
    private func prefixes(_ window: EventTime?, _ task: StoredTask, _ table: StoredTable) throws -> [[UInt8]] {
        guard table.isWindowed else { return [[]] }
        if let window { return [WindowKey.prefix(window)] }
        var prefixes: [[UInt8]] = []
        let first = try Statement(database, "SELECT key FROM keyed WHERE task = ? AND state_table = ? AND key >= ? ORDER BY key LIMIT 1")
        var from: [UInt8]? = []
        while let start = from {
            let found: [UInt8]? = try start.withUnsafeBytes { bytes in
                try first.bind(.integer(task.number), .integer(table.id), .blob(ByteView(bytes)))
                defer { first.reset() }
                return try first.step() ? first.blob(0).prefix(WindowKey.prefixLength).copy() : nil
            }
            guard let found else { break }
            prefixes.append(found)
            from = WindowKey.next(after: found)
        }
        return prefixes
    }

    private func applyUncompacted(
        to records: inout [[UInt8]: [UInt8]], _ key: [UInt8], _ window: EventTime?, _ task: StoredTask, _ table: StoredTable
    ) throws {
        let lead = table.isWindowed ? WindowKey.prefixLength : 0
        let wantedPrefix = window.map { WindowKey.prefix($0) }
        try key.withUnsafeBytes { key in
            let key = ByteView(key)
            func isWanted(_ stored: ByteView) -> Bool {
                guard stored.count == key.count + lead, ByteView(start: stored.start.map { $0 + lead }, count: key.count) == key else {
                    return false
                }
                return wantedPrefix.map { stored.prefix(lead).copy() == $0 } ?? true
            }
            try forEachUncompactedDelta(of: task, table) { delta in
                let isWhole = StateDelta.forEachChange(in: delta) { change in
                    switch change {
                    case .windowClosed(let prefix): records = records.filter { !$0.key.starts(with: prefix.copy()) }
                    case .removed(let stored): if isWanted(stored) { records[stored.copy()] = nil }
                    case .stored(let stored, let record): if isWanted(stored) { records[stored.copy()] = record.copy() }
                    }
                }
                guard isWhole else { throw damaged("a delta of table \(table.fullName) can't be read") }
            }
        }
    }
}
