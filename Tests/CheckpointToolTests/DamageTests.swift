import CheckpointStores
import Foundation
import SQLiteState
import TestSupport
import Testing

@Suite("The checkpoint tool refuses what is damaged, in use or not there, and leaves nothing behind")
struct DamageTests {
    @Test func whatCanBeReadOfADamagedCheckpointIsRecoveredAndTheRestListed() throws {
        let shop = try ShopHistory()
        let store = try CheckpointStore.open(location: shop.directory.file("store"), job: ShopJob.job, environment: [:])
        guard case .manifest(let manifest)? = try store.manifest(ManifestNumber(3)) else {
            throw WaitedTooLong(description: "no checkpoint 3")
        }
        // The last delta is damaged: what is before it comes back whole.
        let last = shop.directory.file("store/shop/\(manifest.objects[2].key)")
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: last))
        let run = try CheckpointBinary.run(["recover", "3", "--to", "recovered.db"] + StoreTests.store, in: shop.directory.path)
        #expect(run.status == 3, "\(run.output)\(run.errors)")
        #expect(run.output.contains(manifest.objects[2].key))
        #expect(try CheckpointBinary.run(["diff", "./recovered.db", "2"] + StoreTests.store, in: shop.directory.path).status == 0)
        // A page of the base's records is damaged: the other tables come back.
        let base = shop.directory.file("store/shop/\(manifest.objects[0].key)")
        let whole = try #require(FileManager.default.contents(atPath: base))
        var pages = 0
        for page in 1..<whole.count / 4096 {
            var damaged = whole
            damaged.replaceSubrange(page * 4096..<(page + 1) * 4096, with: Data(repeating: 0x55, count: 4096))
            try damaged.write(to: URL(fileURLWithPath: base))
            let name = "recovered-\(page).db"
            let recovered = try CheckpointBinary.run(["recover", "1", "--to", name] + StoreTests.store, in: shop.directory.path)
            #expect([0, 3, 4].contains(recovered.status), "\(recovered.errors)")
            if recovered.status == 3 { pages += 1 }
        }
        #expect(pages > 3)
    }

    /// A manifest that is damaged, and one that somebody removed.
    @Test(arguments: [true, false])
    func aDamagedManifestHidesNoOtherAndEndsWith4(isThere: Bool) throws {
        let shop = try ShopHistory()
        let manifest = shop.directory.file("store/shop/manifests/00000000000000000002.json")
        if isThere {
            try Data("{".utf8).write(to: URL(fileURLWithPath: manifest))
        } else {
            try FileManager.default.removeItem(atPath: manifest)
        }
        for verb in [["ls"], ["verify", "--all"]] {
            let run = try CheckpointBinary.run(verb + ["-o", "jsonl"] + StoreTests.store, in: shop.directory.path)
            #expect(run.status == 4, "\(verb): \(run.errors)")
            let rows = run.output.split(separator: "\n").dropFirst()
            #expect(rows.count == 4, "\(verb): \(run.output)")
            #expect(
                rows.filter { $0.contains("00000000000000000002.json") }.count == (verb == ["ls"] ? 1 : 2),
                "\(verb) names it, and verify what follows on it: \(run.output)")
        }
    }

    @Test func aStateDirectoryThatAWorkerHasIsRefusedWithExit11() throws {
        let shop = try ShopHistory()
        let held = try StateDirectory(path: shop.directory.file("state"))
        for reference in ["./state", "./state/state.db"] {
            let run = try CheckpointBinary.run(["show", reference], in: shop.directory.path)
            #expect(run.status == 11)
            #expect(run.errors.contains("in use by a worker"))
        }
        withExtendedLifetime(held) {}
    }

    @Test func whatAKilledWorkerLeftInItsLogIsRead() throws {
        let shop = try ShopHistory()
        let store = try SQLiteStateStore(directory: shop.directory.file("state"))
        _ = try store.open(ShopJob.topology())
        try store.commit(ShopEpochs.seventh)
        // As a kill leaves the directory: the file, and its log with the last epoch.
        let left = shop.directory.file("left")
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: false)
        for name in ["state.db", "state.db-wal", "lock"] {
            try FileManager.default.copyItem(atPath: shop.directory.file("state/\(name)"), toPath: "\(left)/\(name)")
        }
        let before = FileManager.default.contents(atPath: left + "/state.db-wal")
        let run = try CheckpointBinary.run(["get", "baskets", "emil", "--at", "./left", "-o", "jsonl"], in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(FileManager.default.contents(atPath: left + "/state.db-wal") == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: left).sorted() == ["lock", "state.db", "state.db-wal"])
    }

    @Test func temporaryFilesAreGoneAtTheEndAndAfterAnInterruption() throws {
        let shop = try ShopHistory.shared.get()
        let temporary = try TemporaryDirectory("tidemark-scratch")
        let run = try ChildProcess(
            CheckpointBinary.path, ["get", "baskets", "anna"] + StoreTests.store, environment: ["TMPDIR": temporary.path],
            workingDirectory: shop.directory.path)
        #expect(run.waitForExit() == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
        // A query that ends at no time of its own.
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        let query = try ChildProcess(
            CheckpointBinary.path, ["sql", "3", endless] + StoreTests.store, environment: ["TMPDIR": temporary.path],
            workingDirectory: shop.directory.path)
        try waitUntil("the checkpoint is there") {
            let scratch = try FileManager.default.contentsOfDirectory(atPath: temporary.path)
            return try scratch.contains { try FileManager.default.contentsOfDirectory(atPath: temporary.file($0)) == ["state.db"] }
        }
        query.send(SIGINT)
        #expect(query.waitForExit() == 130)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
    }
}
