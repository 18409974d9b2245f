import Engine
import SQLiteState

/// One record that is not the same in two states.
struct RecordDifference {
    enum Change: String {
        case added
        case removed
        case changed
    }

    let change: Change
    let partition: Int
    let window: EventTime?
    let key: String
    /// JSON: what changed, each field with its value before and after. nil where there is nothing to compare.
    let fields: String?
}

/// How many records of a table differ.
struct DifferenceCount {
    var added = 0
    var removed = 0
    var changed = 0
    var same = 0
    /// What is different about the schema; nil when nothing is.
    var schema: String?

    var total: Int { added + removed + changed }
}

/// Goes through a table of two states side by side, in the order of keys.
final class TableComparison {
    private let before: (table: StoredTable, scan: StateScan)?
    private let after: (table: StoredTable, scan: StateScan)?
    private(set) var count = DifferenceCount()
    /// Where both have the same partitions, a key belongs to one; else keys compare wherever they are.
    private let comparesPartitions: Bool

    init(_ before: StateReader, _ after: StateReader, _ name: String) throws {
        self.before = try TableComparison.open(before, name)
        self.after = try TableComparison.open(after, name)
        let stage = (self.before ?? self.after)?.table.stage
        comparesPartitions = before.tasks.filter { $0.id.stage == stage }.map(\.id) == after.tasks.filter { $0.id.stage == stage }.map(\.id)
        count.schema =
            switch (self.before?.table.schema, self.after?.table.schema) {
            case (let old?, let new?) where old == new: nil
            case (let old?, let new?):
                "version \(old.version) with \(old.fields.count) fields, then version \(new.version) with \(new.fields.count)"
            case (nil, _?): "not in a"
            case (_?, nil): "not in b"
            case (nil, nil): nil
            }
    }

    private static func open(_ reader: StateReader, _ name: String) throws -> (StoredTable, StateScan)? {
        guard let table = reader.tables.first(where: { $0.fullName == name }) else { return nil }
        return (table, try reader.scan(table))
    }

    func run(_ body: (RecordDifference) throws -> Void) throws {
        var old = try before?.scan.next()
        var new = try after?.scan.next()
        while true {
            switch (old, new) {
            case (nil, nil): return
            case (let gone?, let new) where new.map({ precedes(gone, $0) }) ?? true:
                count.removed += 1
                try body(difference(.removed, gone, nil))
                old = try before?.scan.next()
            case (let known, let come?) where known.map({ precedes(come, $0) }) ?? true:
                count.added += 1
                try body(difference(.added, come, nil))
                new = try after?.scan.next()
            case (let known?, let come?):
                if known.record == come.record && before?.table.schema == after?.table.schema {
                    count.same += 1
                } else if let fields = try changedFields(known, come) {
                    count.changed += 1
                    try body(difference(.changed, come, fields))
                } else {
                    count.same += 1
                }
                old = try before?.scan.next()
                new = try after?.scan.next()
            default: return
            }
        }
    }

    private func precedes(_ left: StateRow, _ right: StateRow) -> Bool {
        if left.storedKey == right.storedKey { return comparesPartitions && left.partition < right.partition }
        return left.storedKey < right.storedKey
    }

    private func difference(_ change: RecordDifference.Change, _ row: StateRow, _ fields: String?) -> RecordDifference {
        RecordDifference(change: change, partition: row.partition, window: row.window, key: StateText.key(row.key), fields: fields)
    }

    /// nil when every field that both have is the same.
    private func changedFields(_ old: StateRow, _ new: StateRow) throws -> String? {
        let known = Dictionary(uniqueKeysWithValues: zip(old.table.schema.fields.map(\.name), try old.values()))
        var changes: [String] = []
        if old.timer != new.timer { changes.append("\"timer\":[\(Cell.time(old.timer).json),\(Cell.time(new.timer).json)]") }
        for (field, value) in zip(new.table.schema.fields, try new.values()) {
            guard let before = known[field.name], before != value else { continue }
            changes.append("\(quotedJSON(field.name)):[\(Cell(before).json),\(Cell(value).json)]")
        }
        return changes.isEmpty ? nil : "{" + changes.joined(separator: ",") + "}"
    }
}
