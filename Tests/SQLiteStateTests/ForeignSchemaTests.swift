import CSQLite
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("A file whose schema is not Tidemark's, statement for statement, is refused before anything else is read of it")
struct ForeignSchemaTests {
    private let directory: TemporaryDirectory
    private var file: String { directory.file("state.db") }
    init() throws { directory = try TemporaryDirectory() }

    /// What somebody adds to a file, or makes of it, and how the refusal names that.
    static let additions: [(sql: String, name: String)] = [
        (
            "DROP TABLE meta; CREATE VIEW meta AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'job' AS name, i AS value FROM n",
            "'meta'"
        ),
        ("DROP TABLE task; CREATE VIEW task AS SELECT 1 AS id, printf('%.*c', 900000000, 'x') AS stage", "'task'"),
        (
            "DROP TABLE fold_mark; CREATE VIEW fold_mark AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 1 AS task, 1 AS state_table, i AS through FROM n",
            "'fold_mark'"
        ),
        ("DROP TABLE delta; CREATE VIEW delta AS SELECT 1 AS sequence", "'delta'"),
        ("CREATE TRIGGER \"more'\" AFTER UPDATE ON meta BEGIN DELETE FROM keyed; END", "'more''"),
        ("CREATE INDEX further ON keyed (record)", "'further'"),
        ("CREATE TABLE further (a)", "'further'"),
        ("CREATE VIRTUAL TABLE further USING fts4(a)", "'further"),
        ("ALTER TABLE meta ADD COLUMN more TEXT GENERATED ALWAYS AS (upper(value)) VIRTUAL", "'meta'"),
        ("DROP TABLE lineage_end", "'lineage_end'"),
        (
            "DROP TABLE keyed; CREATE TABLE keyed (task INTEGER NOT NULL, state_table INTEGER NOT NULL, key BLOB NOT NULL, record BLOB NOT NULL CHECK (length(record) < 10), PRIMARY KEY (task, state_table, key)) WITHOUT ROWID",
            "'keyed'"
        ),
    ]

    private func execute(_ sql: String, in file: String) throws {
        var handle: OpaquePointer?
        try #require(sqlite3_open(file, &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        try #require(code == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))")
    }

    private func fill() throws {
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology())
        var changes = PlainChanges()
        changes.stored = [([1], [2])]
        try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
        try store.database.checkpointLog()
    }

    private func failure(_ body: () throws -> Void) -> StateError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StateError
        }
    }

    @Test(arguments: additions.indices)
    func aStateFileWithMoreOrOtherObjectsIsRefused(addition: Int) throws {
        let (sql, name) = ForeignSchemaTests.additions[addition]
        try fill()
        let start = ContinuousClock.now
        // The store is closed, but another test's child process may still have a copy of the lock for a moment.
        _ = try reopened(directory.path)
        try execute("PRAGMA journal_mode = delete; " + sql, in: file)
        let copy = directory.file("copy.db")
        let ways: [(String, () throws -> Void)] = [
            ("a reader", { _ = try StateReader(path: file) }),
            ("a worker", { _ = try reopened(directory.path).open(PlainJob.topology()) }),
            ("a look before a start", { _ = try StateDirectory(path: directory.path).isWithoutEpochs() }),
            ("an assembly", { try StateAssembly.assemble(base: file, deltas: [], into: copy) }),
            ("a new lineage", { try StateAssembly.beginLineage(Lineage(2), in: file) }),
            ("a salvage", { _ = try StateSalvage(base: file, into: directory.file("salvaged.db")) }),
        ]
        for (way, body) in ways {
            let error = failure(body)
            #expect(error?.kind == .corrupt, "\(way): \(error.map { "\($0)" } ?? "nothing")")
            #expect(error?.description.contains(name) == true, "\(way): \(error.map { "\($0)" } ?? "nothing")")
        }
        #expect(ContinuousClock.now - start < .seconds(10), "nothing of it ran")
        #expect(!FileManager.default.fileExists(atPath: copy))
    }

    @Test func aDeltaWithAViewIsRefused() throws {
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology())
        try store.keepChanges(after: Epoch(0))
        let base = directory.file("base.db")
        try store.beginBase(at: base)
        while try store.stepBase() == nil {}
        try store.commit(PlainJob.cut(1))
        let delta = directory.file("delta.db")
        _ = try #require(try store.writeDelta(after: Epoch(0), at: delta))
        try StateAssembly.assemble(base: base, deltas: [delta], into: directory.file("whole.db"))
        for (sql, name) in [
            ("DROP TABLE segment; CREATE VIEW segment AS SELECT 'job' AS name, 'plain' AS value", "'segment'"),
            ("CREATE TRIGGER further AFTER INSERT ON delta BEGIN SELECT 1; END", "'further'"),
        ] {
            let changed = directory.file("changed.db")
            try FileManager.default.copyItem(atPath: delta, toPath: changed)
            try execute(sql, in: changed)
            let error = failure { try StateAssembly.assemble(base: base, deltas: [changed], into: directory.file("assembled.db")) }
            #expect(error?.kind == .corrupt && error?.description.contains(name) == true, "\(error.map { "\($0)" } ?? "nothing")")
            try FileManager.default.removeItem(atPath: changed)
        }
    }

    @Test func aCopyOfReferencesWithATriggerIsMadeAnew() throws {
        _ = try ReferenceFile(directory: directory.path)
        let path = directory.file("references.db")
        try execute("PRAGMA journal_mode = delete; CREATE TRIGGER further AFTER INSERT ON record BEGIN SELECT 1; END", in: path)
        let file = try ReferenceFile(directory: directory.path)
        #expect(file.replacedBecause?.contains("'further'") == true)
    }

    /// Files that say that they are of an earlier format, and those that a worker raised from one.
    @Test func filesOfEveryFormatThatAWorkerMadeOrRaisedAreRead() throws {
        for format in try GoldenStore.stateFileFormats() {
            let golden = try StateReader(path: GoldenStore.stateFile(format: format))
            #expect(golden.facts.format == Int64(format))
        }
        for store in try GoldenStore.all() {
            for (path, content) in try store.files() where path.contains("deltas/") {
                let delta = directory.file("delta-\(UUID().uuidString).db")
                try content.write(to: URL(fileURLWithPath: delta))
                let database = try Database(unchanging: delta)
                try FileShape.delta(version: database.integer("PRAGMA user_version"))?.require(of: database, file: delta)
            }
        }
        for format in [1, 2] {
            let raised = directory.file("raised-\(format).db")
            let create = format == 1 ? StateFormat.createFormat1 : try #require(StateFormat.create(format: 2))
            try execute(create + (format == 1 ? StateFormat.upgradeOfFormat1 : "") + StateFormat.upgradeOfFormat2, in: raised)
            let database = try Database(unchanging: raised)
            try FileShape.state(format: 3)?.require(of: database, file: raised)
        }
    }

    /// A page of rows that another page points to over and over reads as endless rows.
    @Test func rowsWithoutEndAreDamage() throws {
        try fill()
        let database = try Database(unchanging: file)
        let statement = try Statement(database, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
        let error = failure { while try statement.step() {} }
        #expect(error?.kind == .corrupt)
        // Another statement has its own bound.
        #expect(try database.integer("SELECT count(*) FROM meta") > 0)
    }

    @Test func aValueLongerThanTheFileIsDamage() throws {
        try fill()
        let database = try Database(unchanging: file)
        let statement = try Statement(database, "SELECT zeroblob(100000000)")
        #expect(failure { _ = try statement.step() }?.kind == .corrupt)
        let many = try Statement(
            database, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT zeroblob(100000) FROM n")
        #expect(failure { while try many.step() { _ = many.blob(0) } }?.kind == .corrupt)
    }
}
