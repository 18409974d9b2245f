import CSQLite
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("The state file's format is documented as it is, and files of earlier formats are brought to it")
struct FormatTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private static var document: String { get throws { try page("docs/STATE-FORMAT.md") } }

    private static func page(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Statements by the table that they make, comments and line breaks taken out.
    private func statements(_ sql: String) -> [String: String] {
        let code = sql.split(separator: "\n").map { $0.split(separator: "--", omittingEmptySubsequences: false).first ?? "" }.joined(
            separator: " ")
        var found: [String: String] = [:]
        for statement in code.split(separator: ";") {
            let words = statement.split(separator: " ")
            guard words.count > 2 else { continue }
            found[String(words[2])] = words.joined(separator: " ")
        }
        return found
    }

    @Test func theDocumentHasTheStatementsThatTheProgramRuns() throws {
        let blocks = try FormatTests.document.components(separatedBy: "```sql\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        try #require(blocks.count == 2)
        #expect(statements(blocks[0]) == statements(StateFormat.create))
        #expect(statements(blocks[1]) == statements(SegmentTable.create))
        #expect(statements(blocks[0]).count == 15)
    }

    @Test func theDocumentNamesEveryFieldTypeAndNumber() throws {
        let document = try FormatTests.document
        for type in [
            "bool", "unsigned", "signed", "signed128", "time", "text", "textSet", "textCounts", "recentNumbers", "bucketSums",
            "lastSeenTexts",
        ] {
            #expect(StateFieldType(rawValue: type) != nil && document.contains("| `\(type)` |"))
        }
        #expect(document.contains("the format's version, \(StateFormat.version)"))
        #expect(
            document.contains(String(Database.applicationID, radix: 16)) && document.contains(String(DeltaFormat.applicationID, radix: 16)))
        for table in DeltaFormat.wholeTables { #expect(document.contains("`\(table)`")) }
    }

    /// What keys, records and deltas are made of stands in one place, where a reader of the store's page is led.
    @Test func thePageOfTheStoreLeadsToTheDocument() throws {
        let (store, document) = (try FormatTests.page("checkpoints/README.md"), try FormatTests.document)
        #expect(store.contains("](../docs/STATE-FORMAT.md)"))
        for heading in ["A checkpoint's files", "The state file"] {
            #expect(store.contains("\"\(heading)\"") && document.contains("## \(heading)\n"))
        }
        #expect(!store.contains("varint") && !store.contains("CREATE TABLE"))
    }

    @Test func everyTableIsTakenByADelta() throws {
        let own = Set(["keyed", "fold_mark"])
        #expect(Set(statements(StateFormat.create).keys) == own.union(DeltaFormat.wholeTables).union(DeltaFormat.growingTables))
    }

    /// Makes the file what format 1 had.
    private func downgrade() throws {
        var handle: OpaquePointer?
        try #require(sqlite3_open(directory.file("state.db"), &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        let sql = """
            ALTER TABLE state_table RENAME TO newer;
            CREATE TABLE state_table (
                id INTEGER PRIMARY KEY, stage TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
                key_kind TEXT NOT NULL, has_timer INTEGER NOT NULL, fields TEXT NOT NULL, UNIQUE (stage, name)
            );
            INSERT INTO state_table SELECT id, stage, name, version, key_kind, has_timer, fields FROM newer;
            DROP TABLE newer; DROP TABLE fold_mark; DROP TABLE lineage_end; DROP TABLE output_layout; DROP TABLE message_layout;
            ALTER TABLE message DROP COLUMN layout;
            ALTER TABLE outbox DROP COLUMN layout;
            ALTER TABLE task DROP COLUMN ended;
            DELETE FROM meta WHERE name IN ('kept_after', 'min_reader');
            PRAGMA user_version = 1;
            """
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    }

    @Test func aFileOfFormat1IsBroughtToThisOneWithAllItHolds() throws {
        var history = RandomHistory(seed: 1)
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 3_000
        var original: StateContents
        do {
            let store = try reopened(directory.path, settings: settings)
            _ = try store.open(PlainJob.topology())
            for _ in 0..<60 {
                try store.commit(history.cut())
                _ = try store.maintain()
            }
            original = try StateContents(of: store)
        }
        try downgrade()
        do {
            let store = try reopened(directory.path)
            #expect(try store.inspect(PlainJob.topology())?.restored.epoch == Epoch(60))
            #expect(try store.integer("PRAGMA user_version") == 1, "looking changes nothing")
        }
        let store = try reopened(directory.path, settings: settings)
        _ = try store.open(PlainJob.topology())
        #expect(try store.integer("PRAGMA user_version") == StateFormat.version)
        #expect(try StateContents(of: store) == original)
        #expect(try !store.keepsChanges(after: Epoch(60)), "a delta can't continue a file of another format")
        for _ in 0..<60 {
            try store.commit(history.cut())
            _ = try store.maintain()
        }
        let contents = try StateContents(of: store)
        #expect(contents.epoch == Epoch(120))
    }

    @Test func aDirectoryWithoutEpochsIsToldFromOneWithSome() throws {
        let state = try StateDirectory(path: directory.path)
        #expect(try state.isWithoutEpochs())
        do {
            let store = try SQLiteStateStore(state)
            _ = try store.open(PlainJob.topology())
        }
        #expect(try state.isWithoutEpochs(), "a job that never committed anything")
        do {
            let store = try SQLiteStateStore(state)
            _ = try store.open(PlainJob.topology())
            try store.commit(PlainJob.cut(1))
        }
        #expect(try !state.isWithoutEpochs())
        try Data(repeating: 7, count: 9_000).write(to: URL(fileURLWithPath: state.stateFile))
        let error = #expect(throws: StateError.self) { try state.isWithoutEpochs() }
        #expect(error?.kind == .corrupt)
    }
}
