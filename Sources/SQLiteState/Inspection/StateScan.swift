import Engine

/// Goes through the records of a state table in the order of their stored keys, over all partitions.
///
/// It holds the changes of the table that are not compacted in memory, and of the compacted records one a partition.
package final class StateScan {
    private let table: StoredTable
    /// Those that have a record left, by the key of it.
    private var waiting: [PartitionCursor] = []
    private var current: PartitionCursor?

    init(_ reader: StateReader, _ table: StoredTable, partitions: [StoredTask], prefix: [UInt8]) throws {
        self.table = table
        for task in partitions {
            let cursor = try PartitionCursor(reader, task, table, prefix: prefix)
            if try cursor.advance() { insert(cursor) }
        }
    }

    /// The next record, valid until the next call; nil at the end.
    package func next() throws -> StateRow? {
        if let last = current, try last.advance() { insert(last) }
        current = waiting.popLast()
        return current.map { StateRow(table: table, partition: $0.partition, storedKey: $0.key, record: $0.record) }
    }

    /// Keeps `waiting` sorted, the least key last; of equal keys the lower partition's comes first.
    private func insert(_ cursor: PartitionCursor) {
        var (low, high) = (0, waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if cursor.precedes(waiting[middle]) { low = middle + 1 } else { high = middle }
        }
        waiting.insert(cursor, at: low)
    }
}

/// One partition's records of a table: the compacted ones with the changes since laid over them.
private final class PartitionCursor {
    let partition: Int
    private(set) var key = ByteView.null
    private(set) var record = ByteView.null

    private let rows: Statement
    private var rowKey: ByteView?
    private var isRowAtEnd = false
    private let overlay: DeltaOverlay
    private var next: Int
    private let prefix: [UInt8]

    init(_ reader: StateReader, _ task: StoredTask, _ table: StoredTable, prefix: [UInt8]) throws {
        partition = task.id.partition
        self.prefix = prefix
        let group = RecordGroup(task: task.number, table: table.id)
        overlay = try reader.overlay(of: group, table)
        next = prefix.withUnsafeBytes { [overlay] in overlay.firstIndex(notBefore: ByteView($0)) }
        // The statement keeps the bound bytes' address, so they lie where they stay as long as it is used.
        start = .allocate(byteCount: max(prefix.count, 1), alignment: 1)
        prefix.withUnsafeBytes { [start] in start.copyMemory(from: $0) }
        rows = try KeyedRows(reader.database).rows(
            in: group, from: ByteView(UnsafeRawBufferPointer(start: start.baseAddress, count: prefix.count)))
    }

    private let start: UnsafeMutableRawBufferPointer

    deinit {
        rows.reset()
        start.deallocate()
    }

    func precedes(_ other: PartitionCursor) -> Bool { key == other.key ? partition < other.partition : key < other.key }

    /// False when there is no further record.
    func advance() throws -> Bool {
        while true {
            try stepRows()
            let change = next < overlay.changes.count ? overlay.changes[next] : nil
            let bound = prefix.count
            switch (rowKey, change) {
            case (nil, nil): return false
            case (let stored?, let change) where change.map({ stored < $0.key }) ?? true:
                rowKey = nil
                if overlay.isClosed(stored) { continue }
                (key, record) = (stored, rows.blob(1))
                return true
            case (let stored, let change?):
                guard prefix.withUnsafeBytes({ change.key.prefix(bound) == ByteView($0) }) else {
                    next = overlay.changes.count
                    continue
                }
                next += 1
                if stored == change.key { rowKey = nil }
                guard let record = change.record else { continue }
                (key, self.record) = (change.key, record)
                return true
            default: return false
            }
        }
    }

    private func stepRows() throws {
        guard rowKey == nil, !isRowAtEnd else { return }
        guard try rows.step() else {
            isRowAtEnd = true
            return
        }
        let found = rows.blob(0)
        if prefix.withUnsafeBytes({ found.prefix(prefix.count) == ByteView($0) }) {
            rowKey = found
        } else {
            isRowAtEnd = true
            rows.reset()
        }
    }
}
