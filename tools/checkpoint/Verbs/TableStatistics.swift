import ArgumentParser
import Engine
import SQLiteState

/// What a state table holds, counted.
struct TableStatistics {
    struct Large {
        let partition: Int
        let window: EventTime?
        let key: String
        let bytes: Int
    }

    let name: String
    private(set) var keys = 0
    private(set) var bytes = 0
    private(set) var recordBytes = 0
    private(set) var keysByPartition: [Int: Int]
    /// Greatest first.
    private(set) var largest: [Large] = []

    init(_ reader: StateReader, _ table: StoredTable, largest limit: Int) throws {
        name = table.fullName
        keysByPartition = Dictionary(uniqueKeysWithValues: reader.tasks.filter { $0.id.stage == table.stage }.map { ($0.id.partition, 0) })
        let scan = try reader.scan(table)
        while let row = try scan.next() {
            keys += 1
            bytes += row.storedKey.count + row.record.count
            recordBytes += row.record.count
            keysByPartition[row.partition, default: 0] += 1
            keep(row, limit)
        }
    }

    /// Of equal ones the first in key order stays.
    private mutating func keep(_ row: StateRow, _ limit: Int) {
        guard limit > 0, largest.count < limit || row.record.count > largest[largest.count - 1].bytes else { return }
        let place = largest.firstIndex { $0.bytes < row.record.count } ?? largest.count
        largest.insert(Large(partition: row.partition, window: row.window, key: StateText.key(row.key), bytes: row.record.count), at: place)
        if largest.count > limit { largest.removeLast() }
    }

    /// The partition with the most keys, the first of equal ones.
    var fullest: Int? { keys == 0 ? nil : keysByPartition.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }

    /// To two digits.
    var skew: Double {
        guard keys > 0, let most = keysByPartition.values.max() else { return 1 }
        return (Double(most * keysByPartition.count) / Double(keys) * 100).rounded() / 100
    }
}
