import Engine
import SQLiteState
import Simulation
import TestSupport
import Testing

@Suite("A state reader sees the sum of what was committed, compacted or not")
struct StateReaderTests {
    /// Random changes of two tables in three partitions against dictionaries, with compacting in between at random.
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func itReadsWhatAModelHolds(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let directory = try TemporaryDirectory()
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = seed.isMultiple(of: 3) ? .max : 2_000
        settings.compactionStep = 20
        let store = try SQLiteStateStore(directory: directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        if seed.isMultiple(of: 2) { try store.keepChanges(after: Epoch(0)) }
        var model: [String: [Int: [[UInt8]: [UInt8]]]] = [:]
        for epoch in 1...UInt64(25) {
            let tasks = (0..<3).map { partition in
                let deltas = ["keyed", "windowed"].map { table in
                    let changes = changes(table, partition, epoch, &random)
                    changes.apply(to: &model[table, default: [:]][partition, default: [:]])
                    return changes.delta(table)
                }
                return PlainJob.taskCut(PlainJob.task(partition), deltas: deltas)
            }
            try store.commit(PlainJob.cut(epoch, tasks))
            if Int.random(in: 0..<2, using: &random) == 0 { _ = try store.maintain() }
        }
        try withExtendedLifetime(store) { try check(InspectionCopy(of: directory).reader(), model) }
    }

    /// Windows close as the epochs go on; now and then one that gets records again, as one does whose time of being
    /// remembered is made longer.
    private func changes(_ table: String, _ partition: Int, _ epoch: UInt64, _ random: inout SeededRandom) -> PlainChanges {
        var changes = PlainChanges()
        let isWindowed = table == "windowed"
        if isWindowed && epoch > 4 { changes.closed = [Int64(epoch) - 4] }
        if isWindowed && Int.random(in: 0..<4, using: &random) == 0 {
            changes.closed.append(Int64(epoch) - Int64(Int.random(in: 0..<3, using: &random)))
        }
        for _ in 0..<10 {
            let name = Array("\(partition)-\(Int.random(in: 0..<30, using: &random))".utf8)
            let key = isWindowed ? PlainChanges.windowKey(Int64(epoch) - Int64(Int.random(in: 0..<3, using: &random)), name) : name
            if Int.random(in: 0..<4, using: &random) == 0 && !isWindowed && !changes.stored.contains(where: { $0.0 == key }) {
                changes.removed.append(key)
            } else if !changes.removed.contains(key) {
                changes.stored.append((key, [UInt8(Int.random(in: 0..<128, using: &random))]))
            }
        }
        return changes
    }

    private func check(_ reader: StateReader, _ model: [String: [Int: [[UInt8]: [UInt8]]]]) throws {
        for (name, partitions) in model {
            let table = try reader.table(named: name)
            let expected = partitions.flatMap { partition, rows in rows.map { (partition, $0.key, $0.value) } }.sorted {
                $0.1.lexicographicallyPrecedes($1.1)
            }
            var found: [(Int, [UInt8], [UInt8])] = []
            let scan = try reader.scan(table)
            while let row = try scan.next() { found.append((row.partition, row.storedKey.copy(), row.record.copy())) }
            #expect(found.map(\.0) == expected.map(\.0) && found.map(\.1) == expected.map(\.1) && found.map(\.2) == expected.map(\.2))
            let lead = table.isWindowed ? 8 : 0
            for (_, key, _) in expected {
                let bare = Array(key.dropFirst(lead))
                let wanted = expected.filter { $0.1.dropFirst(lead).elementsEqual(bare) }.map(\.2)
                #expect(try reader.lookup(bare, in: table).map(\.record).sorted { $0[0] < $1[0] } == wanted.sorted { $0[0] < $1[0] })
            }
            #expect(try reader.lookup(Array("nobody".utf8), in: table).isEmpty)
            let narrowed = try reader.scan(table, prefix: Array(expected[expected.count / 2].1))
            #expect(try narrowed.next()?.record.copy() == expected[expected.count / 2].2)
        }
    }
}
