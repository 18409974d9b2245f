import Engine
import SQLiteState
import TestSupport
import Testing

@Suite("A query reads and computes, and does nothing else")
struct QueryPermissionTests {
    private let directory: TemporaryDirectory
    private let reader: StateReader

    init() throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        let store = try SQLiteStateStore(directory: directory.path)
        _ = try store.open(PlainJob.topology())
        var changes = PlainChanges()
        changes.stored = [([0x61], [1]), ([0x62], [2])]
        try store.commit(PlainJob.cut(1, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
        let copy = try withExtendedLifetime(store) { try InspectionCopy(of: directory) }
        reader = try copy.reader()
    }

    private func rows(_ sql: String, mostInstructions: Int = StateQuery.mostInstructions) throws -> [[StateQuery.Value]] {
        let query = try StateQuery(reader, sql, mostInstructions: mostInstructions)
        var rows: [[StateQuery.Value]] = []
        while let row = try query.next() { rows.append(row) }
        return rows
    }

    private func failure(_ sql: String, mostInstructions: Int = StateQuery.mostInstructions) -> StateError? {
        do {
            _ = try rows(sql, mostInstructions: mostInstructions)
            return nil
        } catch {
            return error as? StateError
        }
    }

    @Test(arguments: [
        "SELECT fts3_tokenizer('simple')", "SELECT fts3_tokenizer('simple', x'4242424242424242')", "SELECT load_extension('/tmp/a.so')",
        "SELECT writefile('a', 'b')",
        "SELECT readfile('/etc/passwd')", "SELECT edit('a')", "ATTACH DATABASE 'other.db' AS other", "DETACH DATABASE main",
        "PRAGMA user_version", "PRAGMA user_version = 4",
        "SELECT * FROM pragma_table_info('meta')", "CREATE TEMP VIEW v AS SELECT 1", "CREATE TEMP TABLE t (a)",
        "CREATE VIRTUAL TABLE temp.t USING fts4(a)", "DELETE FROM meta",
        "INSERT INTO meta VALUES ('a', 'b')", "UPDATE meta SET value = 'x'", "VACUUM INTO 'copy.db'", "BEGIN", "SAVEPOINT a", "REINDEX",
        "ANALYZE", "SELECT sqlite_compileoption_get(1)",
        "SELECT * FROM dbstat", "SELECT * FROM fts3tokenize", "SELECT * FROM sqlite_dbpage", "SELECT zeroblob(1000000000)",
        "SELECT randomblob(1000000000)",
    ])
    func whatDoesMoreIsRefused(sql: String) {
        let error = failure(sql)
        #expect(error?.kind == .invalid, "\(error.map { "\($0)" } ?? "nothing")")
    }

    @Test func theJobsHashKeyIsInNoAnswer() throws {
        let hidden = try rows("SELECT value FROM meta WHERE name = 'hash_key'")
        #expect(hidden == [[.text("(secret)")]])
        #expect(try rows("SELECT value FROM temp.meta WHERE name = 'job'") == rows("SELECT value FROM META WHERE name = 'job'"))
        #expect(try rows("SELECT count(*) FROM main.meta") == rows("SELECT count(*) FROM meta"), "no row is missing")
        for sql in [
            "SELECT * FROM main.meta", "SELECT value FROM \"MAIN\".\"Meta\"", "WITH meta AS (SELECT * FROM main.meta) SELECT * FROM meta",
            "SELECT (SELECT value FROM main.meta AS m WHERE m.name = 'hash_key')", "SELECT m.value FROM (SELECT * FROM main.meta) AS m",
            "SELECT max(main.meta.value) FROM main.meta", "SELECT 1 FROM task WHERE EXISTS (SELECT 1 FROM main.meta WHERE value > '5')",
        ] {
            let error = failure(sql)
            #expect(
                error?.kind == .invalid && error?.message.contains("main.meta holds a secret") == true,
                "\(sql): \(error.map { "\($0)" } ?? "nothing")")
        }
    }

    @Test func whatReadsAndComputesGivesItsRows() throws {
        #expect(try rows("SELECT key, a FROM \"first.keyed\" ORDER BY a DESC") == [[.text("b"), .integer(2)], [.text("a"), .integer(1)]])
        #expect(
            try rows("SELECT sum(a), count(*), upper(min(key)), date(0, 'unixepoch') FROM \"first.keyed\"") == [
                [.integer(3), .integer(2), .text("A"), .text("1970-01-01")]
            ])
        #expect(
            try rows("SELECT value ->> '$.b' FROM json_each('[{\"b\":1},{\"b\":2}]') WHERE key LIKE '%'") == [[.integer(1)], [.integer(2)]])
        #expect(
            try rows("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT max(i) FROM n") == [
                [.integer(1000)]
            ])
        #expect(
            try rows("SELECT name, row_number() OVER (ORDER BY name) FROM output_table") == [
                [.text("other"), .integer(1)], [.text("rows"), .integer(2)],
            ])
    }

    @Test func aQueryWithoutEndEnds() {
        let error = failure(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", mostInstructions: 1_000_000)
        #expect(error?.kind == .invalid && error?.message.contains("1000000 instructions") == true, "\(error.map { "\($0)" } ?? "nothing")")
    }
}
