import CSQLite
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 6: a checkpoint's file that is damaged or not the next one is refused by name, and leaves nothing behind")
struct DamageTests {
    private let directory: TemporaryDirectory
    private var base: String { directory.file("base.db") }
    private var first: String { directory.file("first.db") }
    private var second: String { directory.file("second.db") }
    private var restored: String { directory.file("restored.db") }

    /// A base and two deltas after it.
    init() throws {
        directory = try TemporaryDirectory()
        var history = RandomHistory(seed: 3)
        let store = try SQLiteStateStore(directory: directory.file("state"))
        _ = try store.open(PlainJob.topology())
        for _ in 0..<30 { try store.commit(history.cut()) }
        try store.beginBase(at: base)
        while try store.stepBase() == nil {}
        try store.keepChanges(after: Epoch(history.epoch))
        for path in [first, second] {
            let from = Epoch(history.epoch)
            for _ in 0..<10 { try store.commit(history.cut()) }
            _ = try #require(try store.writeDelta(after: from, at: path))
        }
    }

    private func refusal(base: String? = nil, _ deltas: [String]) -> StateError? {
        do {
            try StateAssembly.assemble(base: base ?? self.base, deltas: deltas, into: restored)
            return nil
        } catch {
            #expect(!FileManager.default.fileExists(atPath: restored) && !FileManager.default.fileExists(atPath: restored + ".assembling"))
            return error as? StateError
        }
    }

    private func execute(_ sql: String, on file: String) throws {
        var handle: OpaquePointer?
        try #require(sqlite3_open(file, &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    }

    @Test func wholeFilesInOrderAreTaken() throws {
        #expect(refusal([first, second]) == nil)
        #expect(FileManager.default.fileExists(atPath: restored))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == [
                "base.db", "first.db", "restored.db", "second.db", "state",
            ])
    }

    @Test func aDeltaThatDoesNotFollowIsRefusedWithBothNames() throws {
        for deltas in [[second], [first, first], [second, first]] {
            let error = try #require(refusal(deltas))
            #expect(
                error.kind == .invalid
                    && error.message.contains(deltas.last == first && deltas.count == 2 && deltas[0] == first ? first : second))
            #expect(error.message.contains(base) && error.message.contains("epoch"))
        }
    }

    @Test(arguments: ["job", "identity", "lineage", "format"])
    func aDeltaOfAnotherStateIsRefused(entry: String) throws {
        try execute("UPDATE segment SET value = '7' WHERE name = '\(entry)'", on: first)
        let error = try #require(refusal([first]))
        #expect(error.kind == .invalid && error.message.contains(first) && error.message.contains(entry))
    }

    @Test func aDeltaOfANewerFormatIsIncompatible() throws {
        try execute("PRAGMA user_version = \(DeltaFormat.version + 1)", on: first)
        #expect(refusal([first])?.kind == .incompatible)
        try execute("PRAGMA user_version = 9", on: base)
        #expect(refusal([])?.kind == .incompatible)
    }

    @Test func filesOfTheWrongKindAreCorrupt() throws {
        #expect(refusal(base: first, [])?.kind == .corrupt)
        #expect(refusal([base])?.kind == .corrupt)
        try execute("DROP TABLE outbox", on: second)
        let error = try #require(refusal([first, second]))
        #expect(error.kind == .corrupt && error.message.contains(second) && !error.message.contains(first))
        #expect(refusal([directory.file("none.db")])?.kind == .missing)
    }

    @Test(arguments: ["base.db", "first.db", "second.db"])
    func flippedBytesAndTornFilesAreNoticedByNameOrHarmless(name: String) throws {
        let path = directory.file(name)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var noticed = 0
        for page in 0..<(whole.count / 4096) {
            var damaged = whole
            for offset in 0..<64 { damaged[page * 4096 + offset] ^= 0x5A }
            try damaged.write(to: URL(fileURLWithPath: path))
            if let error = refusal([first, second]) {
                #expect(error.kind == .corrupt && error.message.contains(path), "\(error)")
                noticed += 1
            }
            try? FileManager.default.removeItem(atPath: restored)
        }
        // What lies on overflow pages is content, which only the checkpoint's hashes tell apart.
        #expect(noticed > whole.count / 4096 / 3)
        for length in [0, 50, 4096, whole.count / 2, whole.count - 1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            let error = refusal([first, second])
            #expect(error?.kind == .corrupt && error?.message.contains(path) == true, "\(length) bytes: \(String(describing: error))")
        }
    }

    @Test func aStateFileThatIsThereIsOnlyReplacedByAWholeOne() throws {
        try Data([1]).write(to: URL(fileURLWithPath: restored))
        try Data([2]).write(to: URL(fileURLWithPath: restored + "-wal"))
        #expect(throws: StateError.self) { try StateAssembly.assemble(base: base, deltas: [second], into: restored) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: restored)) == Data([1]))
        try StateAssembly.assemble(base: base, deltas: [first, second], into: restored)
        #expect(try Data(contentsOf: URL(fileURLWithPath: restored)).count > 4096)
        #expect(!FileManager.default.fileExists(atPath: restored + "-wal"))
    }
}
