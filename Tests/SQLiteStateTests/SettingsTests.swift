import CSQLite
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 6: a state file that is not ours, not whole or not of this version stops the start and says why")
struct SettingsTests {
    private let directory: TemporaryDirectory
    private var file: String { directory.file("state.db") }
    init() throws { directory = try TemporaryDirectory() }

    /// A store with some state in its file, closed again.
    private func fill(job: String = "plain") throws {
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology(job: job))
        var changes = PlainChanges()
        for key in UInt8(0)..<200 { changes.stored.append(([key], [UInt8](repeating: key, count: 400))) }
        try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
        try store.database.checkpointLog()
    }

    /// Runs SQL on the file as another program would.
    private func execute(_ sql: String) throws {
        var handle: OpaquePointer?
        try #require(sqlite3_open(file, &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    }

    /// What opening and restoring fails with.
    private func failure(_ topology: Topology = PlainJob.topology(), allowingLocked: Bool = false) -> StateError? {
        do {
            let store = try allowingLocked ? SQLiteStateStore(directory: directory.path) : reopened(directory.path)
            _ = try store.open(topology)
            try store.restore(PlainTask(id: PlainJob.task(0)), memoryBudget: .max)
            return nil
        } catch {
            return error as? StateError
        }
    }

    @Test func theConnectionHasTheSettingsThatDurabilityNeeds() throws {
        let store = try SQLiteStateStore(directory: directory.path)
        #expect(try store.integer("PRAGMA synchronous") == 2)
        #expect(try store.integer("PRAGMA page_size") == 4096)
        #expect(try store.integer("PRAGMA wal_autocheckpoint") == 0)
        #expect(try store.integer("PRAGMA cell_size_check") == 1)
        let mode = try Statement(store.database, "PRAGMA journal_mode")
        #expect(try mode.step() && mode.text(0) == "wal")
        mode.reset()
        let locking = try Statement(store.database, "PRAGMA locking_mode")
        #expect(try locking.step() && locking.text(0) == "exclusive")
        locking.reset()
        _ = try store.open(PlainJob.topology())
        #expect(
            try store.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'keyed' AND sql LIKE '%WITHOUT ROWID%'")
                == 1)
        #expect(!FileManager.default.fileExists(atPath: file + "-shm"), "one connection, for ever: nothing is shared")
    }

    @Test func aFileWithOtherPagesIsRefused() throws {
        try execute(
            "PRAGMA page_size = 8192; CREATE TABLE t (a); PRAGMA user_version = 1; PRAGMA application_id = \(Database.applicationID)")
        #expect(failure()?.kind == .invalid)
    }

    @Test func aSecondWorkerIsLockedOut() throws {
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology())
        let failure = failure(allowingLocked: true)
        #expect(failure?.kind == .locked)
        #expect(failure?.message.contains(directory.path) == true)
    }

    @Test func aSecondProcessIsLockedOut() async throws {
        let path = directory.path
        let store = try SQLiteStateStore(directory: path)
        await #expect(processExitsWith: .exitCode(11)) { [path = path as String] in
            do {
                _ = try SQLiteStateStore(directory: path)
                exit(0)
            } catch {
                exit((error as? StateError)?.kind == .locked ? 11 : 1)
            }
        }
        withExtendedLifetime(store) {}
    }

    @Test func theLockGoesWithTheStore() throws {
        for epoch in UInt64(1)...20 {
            let store = try reopened(directory.path)
            _ = try store.open(PlainJob.topology())
            try store.commit(PlainJob.cut(epoch))
        }
    }

    @Test func aNewerFormatIsIncompatible() throws {
        try fill()
        try execute("PRAGMA user_version = \(StateFormat.version + 1)")
        #expect(failure()?.kind == .incompatible)
    }

    @Test func anotherJobsStateIsRefusedByName() throws {
        try fill(job: "somebody")
        let failure = failure()
        #expect(failure?.kind == .invalid)
        #expect(failure?.message.contains("somebody") == true && failure?.message.contains("state.directory") == true)
    }

    @Test func anotherProgramsDatabaseIsLeftAlone() throws {
        try execute("CREATE TABLE theirs (a)")
        #expect(failure()?.kind == .invalid)
        try execute("INSERT INTO theirs VALUES (1)")
    }

    @Test func garbageIsCorrupt() throws {
        try Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(to: URL(fileURLWithPath: file))
        #expect(failure()?.kind == .corrupt)
    }

    @Test func flippedBitsNeverGoUnnoticedAsAnotherState() throws {
        try fill()
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        var noticed = 0
        for page in 0..<(whole.count / 4096) {
            var damaged = whole
            for offset in 0..<64 { damaged[page * 4096 + offset] ^= 0x5A }
            try? FileManager.default.removeItem(atPath: file + "-wal")
            try damaged.write(to: URL(fileURLWithPath: file))
            if let failure = failure() {
                #expect(failure.kind == .corrupt || failure.kind == .invalid || failure.kind == .incompatible, "\(failure)")
                noticed += 1
            }
        }
        #expect(noticed > whole.count / 4096 / 3)
    }

    @Test func aTornFileIsCorrupt() throws {
        try fill()
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        try whole.prefix(whole.count / 2 / 4096 * 4096).write(to: URL(fileURLWithPath: file))
        #expect(failure()?.kind == .corrupt)
    }

    @Test(arguments: [
        [
            StateSchema(table: "keyed", version: 1, key: .key, hasTimer: false, fields: [StateField(name: "b", type: .unsigned)]),
            PlainTask.windowed,
        ],
        [
            StateSchema(table: "keyed", version: 2, key: .key, hasTimer: false, fields: [StateField(name: "a", type: .unsigned)]),
            PlainTask.windowed,
        ],
        [
            StateSchema(table: "keyed", version: 1, key: .windowAndKey, hasTimer: false, fields: [StateField(name: "a", type: .unsigned)]),
            PlainTask.windowed,
        ],
        [PlainTask.windowed],
    ])
    func aChangedSchemaIsIncompatible(schemas: [StateSchema]) throws {
        try fill()
        let failure = failure(PlainJob.topology(schemas: schemas))
        #expect(failure?.kind == .incompatible)
        #expect(failure?.message.contains("keyed") == true)
    }

    @Test func aTableThatIsAddedIsNoProblem() throws {
        try fill()
        let added = StateSchema(table: "added", version: 1, key: .key, hasTimer: true, fields: [])
        #expect(failure(PlainJob.topology(schemas: PlainTask.schemas + [added])) == nil)
    }

    /// Also where there is nothing in the state but its settings.
    @Test(arguments: [("id", "customer_id"), ("customer_id", "id")], [false, true])
    func aSettingThatTheStateIsBuiltOnCanNotChange(change: (old: String, new: String), isEmpty: Bool) throws {
        let (old, new) = (
            PlainJob.topology(fixedSettings: ["input.keyedBy": change.old]), PlainJob.topology(fixedSettings: ["input.keyedBy": change.new])
        )
        if !isEmpty { try fill() }
        #expect(failure(old) == nil)
        let failure = failure(new)
        #expect(failure?.kind == .invalid)
        for part in ["input.keyedBy: \(change.old)", "\(change.new) is set now", "empty state directory"] {
            #expect(failure?.message.contains(part) == true, "\(part)")
        }
        #expect(throws: StateError.self) { try reopened(directory.path).inspect(new) }
        #expect(self.failure(old) == nil, "nothing was changed by the refusal")
    }

    /// A state that was begun before the setting was fixed goes on as it was; a new one takes what is set.
    @Test(arguments: [false, true])
    func aSettingThatIsFixedLaterIsWhatStatesHadBefore(isEmpty: Bool) throws {
        func topology(_ value: String) -> Topology {
            PlainJob.topology(
                fixedSettings: ["input.sessions.keyedBy": value], settingsOfEarlierStates: ["input.sessions.keyedBy": "customer_id"])
        }
        #expect(try SQLiteStateStore(directory: directory.path).fixedSettings() == nil, "there is no state yet")
        if !isEmpty { try fill() }
        #expect(failure(PlainJob.topology()) == nil)
        #expect(try reopened(directory.path).fixedSettings() == [:])
        let refused = failure(topology("id"))
        #expect(refused?.kind == .invalid && refused?.message.contains("input.sessions.keyedBy: customer_id") == true)
        #expect(failure(topology("customer_id")) == nil)
        #expect(try reopened(directory.path).fixedSettings() == ["input.sessions.keyedBy": "customer_id"])
        let other = try TemporaryDirectory()
        _ = try SQLiteStateStore(directory: other.path).open(topology("id"))
        #expect(try reopened(other.path).fixedSettings() == ["input.sessions.keyedBy": "id"])
    }

    @Test func anOutputTableThatWentWithRowsUndeliveredKeepsThem() throws {
        let chunk = PlainJob.chunk(0, epoch: 1, table: "other")
        do {
            let store = try SQLiteStateStore(directory: directory.path)
            _ = try store.open(PlainJob.topology())
            try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), rows: [chunk])]))
        }
        let topology = PlainJob.topology(tables: [PlainJob.rows])
        let restored = try reopened(directory.path).open(topology)
        #expect(restored.outbox.first { $0.table == "other" }?.pending == [chunk])
        #expect(restored.outboxTables(of: topology) == [OutboxTable(PlainJob.rows), OutboxTable(PlainJob.other, isDeclared: false)])
        #expect(restored.tablesToRollBack(of: topology) == ["rows", "other"])
    }

    /// Also with a table to be dropped: the version that sent them has to be able to drain.
    @Test func messagesThatCanNotBeReadStopTheStartBeforeAnythingIsChanged() throws {
        let message = PlainJob.message(from: 0, to: 1, epoch: 1)
        do {
            let store = try SQLiteStateStore(directory: directory.path)
            _ = try store.open(PlainJob.topology())
            try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), sent: [message])]))
        }
        let dropped = PlainTask.schemas[0].table
        var settings = SQLiteStateStore.Settings()
        settings.droppedTables = [dropped]
        let next = PlainJob.topology(version: 2, schemas: Array(PlainTask.schemas.dropFirst()), messages: MessageLayout(version: 2))
        let error = #expect(throws: StateError.self) { try reopened(directory.path, settings: settings).open(next) }
        #expect(
            error?.kind == .incompatible && error?.message.contains("Start version 1, which wrote the state last") == true,
            "\(error?.message ?? "")")
        let restored = try reopened(directory.path).open(PlainJob.topology())
        #expect(restored.messages == [message], "nothing was changed by the refusal")
        #expect(try StateReader(path: copyOfState()).storedTables.contains { $0.schema.table == dropped })
    }

    private func copyOfState() throws -> String {
        try FileManager.default.copyItem(atPath: directory.file("state.db"), toPath: directory.file("copy.db"))
        return directory.file("copy.db")
    }

    @Test func anOutputTableThatWentWithoutRowsIsNoProblem() throws {
        try fill()
        #expect(failure(PlainJob.topology(tables: [PlainJob.rows])) == nil)
    }

    @Test func aMissingParentDirectoryIsSaid() throws {
        do {
            _ = try SQLiteStateStore(directory: directory.file("a/b"))
            Issue.record("it was opened")
        } catch let error as StateError {
            #expect(error.kind == .invalid && error.message.contains("a/b"))
        }
    }
}
