import Engine

/// A record that was looked up; its bytes are its own.
package struct FoundRecord: Sendable {
    package let table: StoredTable
    package let partition: Int
    package let storedKey: [UInt8]
    package let record: [UInt8]

    /// Where the record's window starts; nil in a table without windows.
    package var window: EventTime? { withRow { $0.window } }

    /// Hands the record over as a scan does.
    package func withRow<Result>(_ body: (StateRow) throws -> Result) rethrows -> Result {
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
    package func lookup(_ key: [UInt8], in table: StoredTable, window: EventTime? = nil) throws -> [FoundRecord] {
        let keyed = KeyedRows(database)
        let (lead, wanted) = (table.isWindowed ? WindowKey.prefixLength : 0, table.isWindowed ? window.map(WindowKey.prefix) : nil)
        return try tasks(of: table.stage).flatMap { task in
            let group = RecordGroup(task: task.number, table: table.id)
            let overlay = try key.withUnsafeBytes { key in
                let key = ByteView(key)
                return try self.overlay(of: group, table) { stored in
                    guard stored.count == lead + key.count, ByteView(start: stored.start.map { $0 + lead }, count: key.count) == key else {
                        return false
                    }
                    return wanted.map { stored.prefix(lead).copy() == $0 } ?? true
                }
            }
            var records: [[UInt8]: [UInt8]] = [:]
            for prefix in try wanted.map({ [$0] }) ?? prefixes(in: group, table, keyed) {
                let stored = prefix + key
                try stored.withUnsafeBytes { bytes in
                    if !overlay.isClosed(ByteView(bytes)) || !table.isWindowed {
                        records[stored] = try keyed.read(ByteView(bytes), in: group) { $0.copy() }
                    }
                }
            }
            for change in overlay.changes { records[change.key.copy()] = change.record?.copy() }
            return records.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
                FoundRecord(table: table, partition: task.id.partition, storedKey: $0.key, record: $0.value)
            }
        }
    }

    /// What may lead the key: nothing, or every window with compacted records.
    private func prefixes(in group: RecordGroup, _ table: StoredTable, _ keyed: KeyedRows) throws -> [[UInt8]] {
        guard table.isWindowed else { return [[]] }
        var prefixes: [[UInt8]] = []
        var from: [UInt8]? = []
        while let start = from, let found = try keyed.firstKey(in: group, from: start) {
            prefixes.append(Array(found.prefix(WindowKey.prefixLength)))
            from = WindowKey.next(after: found)
        }
        return prefixes
    }
}
