import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A migration is one transaction, and what an earlier version reads stays right until it is dropped")
struct EvolutionTests {
    private static let one = StateSchema(
        table: "keyed", version: 1, key: .key, hasTimer: true,
        fields: [StateField(name: "a", type: .unsigned), StateField(name: "old", type: .unsigned)]
    )
    private static let two = StateDeclaration(
        schema: StateSchema(
            table: "keyed", version: 2, key: .key, hasTimer: true,
            fields: [StateField(name: "new", type: .unsigned), StateField(name: "a", type: .signed)]
        ),
        evolution: .from(1).widening("a", to: .signed).dropping("old", leaving: UInt64(77)).adding("new", default: UInt64(5))
    )
    private static let first = PlainJob.topology(version: 1, declarations: [StateDeclaration(schema: one)])
    private static let second = PlainJob.topology(version: 2, declarations: [two])
    private static let keys = 150

    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private static func cut(_ epoch: UInt64, _ changes: PlainChanges) -> EpochCut {
        PlainJob.cut(epoch, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])])
    }

    /// Records of version 1, half of them compacted: a timer of 3, the number, and the number.
    private static func fill(_ path: String) throws {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 1
        let store = try SQLiteStateStore(directory: path, settings: settings)
        _ = try store.open(first)
        for epoch in UInt64(1)...2 {
            var changes = PlainChanges()
            for key in 0..<keys where key % 2 == Int(epoch) - 1 {
                changes.stored.append((Array("key \(key)".utf8), [6, UInt8(key % 50), UInt8(key % 50)]))
            }
            try store.commit(cut(epoch, changes))
            if epoch == 1 { _ = try store.maintain() }
        }
    }

    private func rows(_ topology: Topology, _ schema: StateSchema, in other: TemporaryDirectory? = nil) throws -> [[UInt8]: [UInt8]] {
        let store = try reopened((other ?? directory).path)
        _ = try store.open(topology)
        let task = PlainTask(id: PlainJob.task(0), schemas: [schema])
        try store.restore(task, memoryBudget: .max)
        return task.tables[0].rows
    }

    private static var expected: [[UInt8]: [UInt8]] {
        Dictionary(uniqueKeysWithValues: (0..<keys).map { (Array("key \($0)".utf8), [6, 5, UInt8($0 % 50) * 2]) })
    }

    @Test func compactedRecordsAndDeltasAreMigratedWithTheirTimers() throws {
        try EvolutionTests.fill(directory.path)
        #expect(try rows(EvolutionTests.second, EvolutionTests.two.schema) == EvolutionTests.expected)
    }

    /// Fails operation 0, 1, 2 … of the start that migrates until a whole one succeeds.
    @Test func whereverAMigrationDiesTheStateIsOfOneVersionOrTheOther() throws {
        try EvolutionTests.fill(directory.path)
        var died = 0
        while true {
            let copy = try TemporaryDirectory()
            try FileManager.default.copyItem(atPath: directory.file("state.db"), toPath: copy.file("state.db"))
            let disk = try FaultyDisk(copy.path)
            disk.die(after: died)
            do {
                _ = try SQLiteStateStore(directory: copy.path).open(EvolutionTests.second)
                break
            } catch is StateError {}
            disk.mend()
            died += 1
            // The version before goes on and changes a record, as if nothing had been; then the new one does.
            do {
                let store = try reopened(copy.path)
                _ = try store.open(EvolutionTests.first)
                let task = PlainTask(id: PlainJob.task(0), schemas: [EvolutionTests.one])
                try store.restore(task, memoryBudget: .max)
                #expect(task.tables[0].rows.count == EvolutionTests.keys)
                var changes = PlainChanges()
                changes.stored = [(Array("key 7".utf8), [6, 60, 7])]
                try store.commit(EvolutionTests.cut(3, changes))
            }
            var expected = EvolutionTests.expected
            expected[Array("key 7".utf8)] = [6, 5, 120]
            #expect(try rows(EvolutionTests.second, EvolutionTests.two.schema, in: copy) == expected)
        }
        #expect(died > 5, "\(died) operations")
    }

    @Test(arguments: [3, 8, 14])
    func aKilledMigrationIsMadeByTheNextStart(operations: Int) async throws {
        try EvolutionTests.fill(directory.path)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String, operations = operations as Int] in
            let disk = try FaultyDisk(path)
            disk.kill(after: operations)
            _ = try SQLiteStateStore(directory: path).open(EvolutionTests.second)
        }
        #expect(try rows(EvolutionTests.second, EvolutionTests.two.schema) == EvolutionTests.expected)
    }

    @Test(
        "a dropped field keeps its value for the version before; of a key forgotten meanwhile it is what was declared",
        arguments: [1, 1 << 20])
    func droppedFieldsAreCarried(compactionBytes: Int) throws {
        try EvolutionTests.fill(directory.path)
        do {
            var settings = SQLiteStateStore.Settings()
            settings.compactionBytes = compactionBytes
            let store = try reopened(directory.path, settings: settings)
            _ = try store.open(EvolutionTests.second)
            var changes = PlainChanges()
            changes.stored = [(Array("key 1".utf8), [8, 9, 40]), (Array("key 2".utf8), [8, 9, 42]), (Array("key new".utf8), [8, 9, 44])]
            try store.commit(EvolutionTests.cut(3, changes))
            changes = PlainChanges()
            changes.removed = [Array("key 2".utf8), Array("key 3".utf8)]
            try store.commit(EvolutionTests.cut(4, changes))
            changes = PlainChanges()
            changes.stored = [(Array("key 2".utf8), [8, 9, 46])]
            try store.commit(EvolutionTests.cut(5, changes))
            _ = try store.maintain()
        }
        let found = try rows(EvolutionTests.first, EvolutionTests.one)
        #expect(found[Array("key 0".utf8)] == [6, 0, 0], "nothing touched it")
        #expect(found[Array("key 1".utf8)] == [8, 20, 1], "the new number, and the old field as it was")
        #expect(found[Array("key 2".utf8)] == [8, 23, 77] && found[Array("key new".utf8)] == [8, 22, 77])
        #expect(found[Array("key 3".utf8)] == nil && found.count == EvolutionTests.keys)
        let store = try reopened(directory.path)
        #expect(try store.integer("SELECT count(*) FROM state_table") == 1, "the newer copy is gone")
        #expect(try store.integer("SELECT count(DISTINCT state_table) FROM keyed") == 1)
    }

    @Test func aCheckpointFromBeforeAMigrationIsNeverContinuedByADelta() throws {
        try EvolutionTests.fill(directory.path)
        let store = try reopened(directory.path)
        _ = try store.open(EvolutionTests.second)
        try store.keepChanges(after: Epoch(2))
        #expect(try store.writeDelta(after: Epoch(2), at: directory.file("early.db")) == nil)
        var changes = PlainChanges()
        changes.stored = [(Array("key 1".utf8), [8, 9, 40])]
        try store.commit(EvolutionTests.cut(3, changes))
        try store.keepChanges(after: Epoch(3))
        #expect(try store.writeDelta(after: Epoch(2), at: directory.file("early.db")) == nil)
        try store.beginBase(at: directory.file("base.db"))
        while try store.stepBase() == nil {}
        changes.stored = [(Array("key 2".utf8), [8, 9, 42])]
        try store.commit(EvolutionTests.cut(4, changes))
        #expect(try store.writeDelta(after: Epoch(3), at: directory.file("delta.db")) != nil)

        // What was restored from them goes back to the version before as the file itself would.
        let restored = try TemporaryDirectory()
        _ = try StateAssembly.assemble(
            base: directory.file("base.db"), deltas: [directory.file("delta.db")], into: restored.file("state.db"))
        let other = try reopened(restored.path)
        _ = try other.open(EvolutionTests.first)
        let task = PlainTask(id: PlainJob.task(0), schemas: [EvolutionTests.one])
        try other.restore(task, memoryBudget: .max)
        #expect(task.tables[0].rows[Array("key 1".utf8)] == [8, 20, 1] && task.tables[0].rows[Array("key 2".utf8)] == [8, 21, 2])
        #expect(task.tables[0].rows.count == EvolutionTests.keys)
    }

    @Test func lookingAtAnUpgradeChangesNothing() throws {
        try EvolutionTests.fill(directory.path)
        let before = try Data(contentsOf: URL(fileURLWithPath: directory.file("state.db")))
        do {
            let found = try #require(try reopened(directory.path).inspect(EvolutionTests.second))
            #expect(
                found.compatibility.tables.map(\.action) == [.migrate] && found.compatibility.isFinalizePending
                    && found.restored.epoch == Epoch(2))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file("state.db"))) == before)
    }

    @Test func finalizingWithoutStateSaysSo() throws {
        let failure = #expect(throws: StateError.self) { try reopened(directory.path).finalize(EvolutionTests.first) }
        #expect(failure?.kind == .missing)
    }

    @Test func aNumberThatDoesNotFitStopsTheStartWithNothingChanged() throws {
        do {
            let store = try SQLiteStateStore(directory: directory.path)
            _ = try store.open(EvolutionTests.first)
            var changes = PlainChanges()
            changes.stored = [(Array("large".utf8), [6] + [UInt8](repeating: 255, count: 9) + [1, 0])]
            try store.commit(EvolutionTests.cut(1, changes))
        }
        let failure = #expect(throws: StateError.self) { try reopened(directory.path).open(EvolutionTests.second) }
        #expect(failure?.kind == .incompatible && failure?.message.contains("key 'large'") == true)
        #expect(try rows(EvolutionTests.first, EvolutionTests.one).count == 1)
    }

    @Test func batchesForAStageThatWentStopTheStart() throws {
        do {
            let store = try SQLiteStateStore(directory: directory.path)
            _ = try store.open(EvolutionTests.first)
            try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), sent: [PlainJob.message(from: 0, to: 1, epoch: 1)])]))
        }
        let without = Topology(
            job: "plain", version: 2,
            stages: [
                Stage("first", input: .topic("topic")) { setup in
                    for table in [PlainJob.rows, PlainJob.other] { _ = setup.rows(of: table) }
                    return PlainTask(id: setup.task, schemas: [EvolutionTests.one])
                }
            ])
        let failure = #expect(throws: StateError.self) { try reopened(directory.path).open(without) }
        #expect(failure?.kind == .incompatible && failure?.message.contains("batches wait for stage second") == true)
    }
}
