import Engine

/// Puts a state table's records where their topic's growth puts them. Everything is compacted before.
struct RecordMoves {
    /// Stands for a task that gathers the records of several; no task has this number.
    private static let gathering: Int64 = -1

    private let database: Database
    private let growth: PartitionGrowth
    private let places: KeyPlaces
    private let keyed: KeyedRows

    init(_ database: Database, _ growth: PartitionGrowth, _ places: KeyPlaces) throws {
        self.database = database
        self.growth = growth
        self.places = places
        keyed = KeyedRows(database)
    }

    /// Returns how many records were moved, or copies made.
    func perform(_ table: GrowingStage.Table, _ tasks: [Int: GrowingStage.Task]) throws -> Int {
        switch table.placement {
        case .stays: 0
        case .moves: try move(table, tasks)
        case .copied: try copy(table, tasks, isNumbered: false)
        case .copiedByNumber: try copy(table, tasks, isNumbered: true)
        }
    }

    private func move(_ table: GrowingStage.Table, _ tasks: [Int: GrowingStage.Task]) throws -> Int {
        var moved = 0
        for partition in 0..<growth.before {
            guard let source = tasks[partition] else { continue }
            // What comes to a partition before its own turn is met again there, and is where it belongs.
            try forEachRecord(of: source.id, table) { key, record in
                guard let target = try places.partition(of: table.key(of: key), among: growth.after), target != partition else { return }
                guard let task = tasks[target] else { throw StateError(.bug, "there is no task for partition \(target) of \(table.stage)") }
                guard try add(key, record, to: task.id, table) else {
                    throw StateError(
                        .invalid,
                        "\(table.name): the key '\(StateText.key(table.key(of: key).prefix(64)))' is in partition \(partition) and in \(target): the topic is not keyed by it, so nobody knows where its state belongs. Nothing was written"
                    )
                }
                try keyed.remove(key, in: RecordGroup(task: source.id, table: table.id))
                moved += 1
            }
        }
        return moved
    }

    /// Every partition that keys may come to gets all that was known where they may come from: the table's records don't say
    /// which of them a key is about, and where none of its keys comes they are never asked for.
    private func copy(_ table: GrowingStage.Table, _ tasks: [Int: GrowingStage.Task], isNumbered: Bool) throws -> Int {
        var copies = 0
        for family in 0..<growth.families {
            let sources = growth.sources(of: family).compactMap { tasks[$0]?.id }
            let targets = growth.targets(of: family).compactMap { tasks[$0]?.id }
            guard sources.count > 1 else {
                for source in sources { copies += try spread(source, over: targets.filter { $0 != source }, table) }
                continue
            }
            let gathered = try gather(sources, table, isNumbered: isNumbered)
            copies += try spread(RecordMoves.gathering, over: targets, table) - gathered
            try clear(RecordMoves.gathering, table)
        }
        return copies
    }

    private func spread(_ source: Int64, over targets: [Int64], _ table: GrowingStage.Table) throws -> Int {
        var copies = 0
        guard !targets.isEmpty else { return 0 }
        try forEachRecord(of: source, table) { key, record in
            for target in targets where try add(key, record, to: target, table) { copies += 1 }
        }
        return copies
    }

    /// Takes all records of some tasks together. Returns how many there are.
    private func gather(_ sources: [Int64], _ table: GrowingStage.Table, isNumbered: Bool) throws -> Int {
        var count = 0
        var numbers: [[UInt8]: UInt32] = [:]
        var numbered = ByteWriter(capacity: 16)
        for source in sources {
            try forEachRecord(of: source, table) { stored, record in
                var key = stored
                if isNumbered {
                    let window = stored.prefix(WindowKey.prefixLength).copy()
                    let number = numbers[window, default: 0]
                    numbers[window] = number + 1
                    numbered.removeAll()
                    numbered.write(raw: stored.prefix(WindowKey.prefixLength))
                    numbered.write(fixed: number.byteSwapped)
                    key = numbered.view
                }
                count += 1
                guard try !add(key, record, to: RecordMoves.gathering, table) else { return }
                guard try keyed.read(key, in: RecordGroup(task: RecordMoves.gathering, table: table.id), { $0 == record }) == true else {
                    throw StateError(
                        .invalid,
                        "\(table.name) can't be copied: several partitions have the key '\(StateText.key(table.key(of: stored).prefix(64)))', with different records. Choose a number of partitions that is a multiple of \(growth.before), with which each new partition gets keys of one old one alone. Nothing was written"
                    )
                }
                count -= 1
            }
            try clear(source, table)
        }
        return count
    }

    private func clear(_ task: Int64, _ table: GrowingStage.Table) throws {
        try keyed.removeAll(in: RecordGroup(task: task, table: table.id))
    }

    /// False when the task has a record of that key.
    private func add(_ key: ByteView, _ record: ByteView, to task: Int64, _ table: GrowingStage.Table) throws -> Bool {
        try keyed.add(record, of: key, to: RecordGroup(task: task, table: table.id))
    }

    /// `body` may remove the record at hand, and add some to other tasks: those lie in other ranges of keys, which the query
    /// never comes to.
    private func forEachRecord(of task: Int64, _ table: GrowingStage.Table, _ body: (_ key: ByteView, _ record: ByteView) throws -> Void)
        throws
    {
        try keyed.forEach(in: RecordGroup(task: task, table: table.id)) { key, record in
            try body(key, record)
            return true
        }
    }
}
