import Engine

/// Looks whether a table's keys are where they should be before they are moved: whoever does not know where they are does not
/// know where they go.
struct PlaceCheck {
    private let table: GrowingStage.Table
    private let growth: PartitionGrowth
    private let places: KeyPlaces
    private var keys = 0
    private var misplaced = 0
    /// The first key that is elsewhere, or in no list.
    private var example: String?

    init(_ table: GrowingStage.Table, _ growth: PartitionGrowth, _ places: KeyPlaces) {
        self.table = table
        self.growth = growth
        self.places = places
    }

    /// Returns how many records the task has.
    mutating func look(at task: Int64, of partition: Int, _ database: Database) throws -> Int {
        var count = 0
        try KeyedRows(database).forEach(in: RecordGroup(task: task, table: table.id)) { stored, _ in
            count += 1
            let key = table.key(of: stored)
            guard table.placement == .moves, let problem = try problem(key, partition) else { return true }
            misplaced += 1
            example = example ?? "'\(StateText.key(key.prefix(64)))' \(problem)"
            return true
        }
        keys += count
        return count
    }

    private func problem(_ key: ByteView, _ partition: Int) throws -> String? {
        let found = try places.partition(of: key, among: places.tellsWhereKeysWere ? growth.before : growth.after)
        guard places.tellsWhereKeysWere else { return found == nil ? "is not in the list" : nil }
        return found == partition ? nil : "is in partition \(partition), not in \(found ?? -1)"
    }

    /// What is wrong; nil when nothing is.
    var finding: String? {
        guard let example else { return nil }
        let how = places.tellsWhereKeysWere ? "are not where murmur2 puts them among \(growth.before) partitions" : "have no partition"
        return "\(table.name): \(misplaced) of \(keys) keys \(how): \(example)"
    }

    static func waysOut(_ places: KeyPlaces) -> String {
        let tables = "--spread TABLE or --stay TABLE where a table is keyed by something else than the topic's records"
        guard places.tellsWhereKeysWere else { return "List every key; or say \(tables)" }
        return
            "Say --record-key TEMPLATE when the records' keys only contain the table's; --assign FILE when producers use another partitioner; \(tables)"
    }
}
