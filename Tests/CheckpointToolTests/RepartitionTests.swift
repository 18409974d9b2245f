import CSQLite
import Engine
import Foundation
import SQLiteState
import TestSupport
import Testing

@Suite("repartition writes what it always wrote, makes the state whole or not at all, and refuses what it does not know")
struct RepartitionTests {
    private static let keyed = ["--record-key", #"{"who":"{}"}"#]

    static let files = [
        GoldenFile(
            name: "repartition",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown"] + keyed + StoreTests.store),
        GoldenFile(
            name: "repartition-json",
            arguments: ["repartition", "3", "--drained", "--partitions", "3", "--to", "grown", "-o", "json"] + keyed + StoreTests.store),
        GoldenFile(
            name: "repartition-jsonl",
            arguments: [
                "repartition", "./state", "--drained", "--partitions", "4", "--topic", "shop.orders", "--stay", "orders.hourly", "--to",
                "grown", "-o", "jsonl",
            ] + keyed),
        GoldenFile(
            name: "repartition-unread",
            arguments: ["repartition", "latest", "--partitions", "4", "--to", "grown"] + keyed + StoreTests.store),
        GoldenFile(
            name: "repartition-bounds",
            arguments: ["repartition", "latest", "--partitions=-1", "--to", "grown", "--assign", "keys.jsonl"] + StoreTests.store),
        GoldenFile(
            name: "repartition-too-many",
            arguments: ["repartition", "latest", "--partitions", "10000000000", "--to", "grown"] + StoreTests.store),
        GoldenFile(
            name: "repartition-keys",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown"] + StoreTests.store),
        GoldenFile(
            name: "repartition-fewer",
            arguments: ["repartition", "latest", "--drained", "--partitions", "2", "--to", "grown"] + keyed + StoreTests.store),
        GoldenFile(
            name: "repartition-topic",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--topic", "orders", "--to", "grown"] + StoreTests.store),
        GoldenFile(
            name: "repartition-table",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--spread", "orders.days", "--to", "grown"]
                + StoreTests.store),
        GoldenFile(
            name: "repartition-taken",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--to", "state"] + keyed + StoreTests.store),
        GoldenFile(
            name: "repartition-template",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown", "--record-key", "who"]
                + StoreTests.store),
        GoldenFile(
            name: "repartition-assign",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown", "--assign", "keys.jsonl"]
                + StoreTests.store),
        GoldenFile(
            name: "repartition-unlisted",
            arguments: ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown", "--assign", "some-keys.jsonl"]
                + StoreTests.store),
        GoldenFile(
            name: "repartition-wrong-line",
            arguments: ["repartition", "latest", "--drained", "--partitions", "2", "--to", "grown", "--assign", "keys.jsonl"]
                + StoreTests.store),
        GoldenFile(
            name: "repartition-earlier", arguments: ["repartition", "./earlier", "--drained", "--partitions", "4", "--to", "grown"]),
        GoldenFile(
            name: "repartition-several", arguments: ["repartition", "./several", "--drained", "--partitions", "4", "--to", "grown"]),
    ]

    @Test(arguments: files)
    func theVerbWritesWhatItAlwaysWrote(file: GoldenFile) throws {
        let shop = try ShopHistory()
        try write(shop, "keys.jsonl", ["anna": 0, "carla": 3, "dora": 2, "0x00ff": 1])
        try write(shop, "some-keys.jsonl", ["anna": 0, "carla": 3])
        try change(shop, "earlier", "DELETE FROM meta WHERE name LIKE 'topic %'")
        try change(shop, "several", "INSERT INTO meta VALUES ('topic refunds', 'shop.refunds')")
        let before = try FileManager.default.contentsOfDirectory(atPath: shop.directory.path).sorted()
        let run = try CheckpointBinary.run(file.arguments, in: shop.directory.path)
        let found = file.text(of: run)
        #expect(GoldenFile.comparable(try file.expected(or: found)) == GoldenFile.comparable(found))
        let after = try FileManager.default.contentsOfDirectory(atPath: shop.directory.path).sorted()
        #expect(after == (run.status == 0 ? (before + ["grown"]).sorted() : before), "nothing but what was asked for")
    }

    private func write(_ shop: ShopHistory, _ name: String, _ keys: KeyValuePairs<String, Int>) throws {
        let lines = keys.map { #"{"key":"\#($0.key)","partition":\#($0.value)}"# + "\n" }.joined()
        try lines.write(toFile: shop.directory.file(name), atomically: true, encoding: .utf8)
    }

    /// A state directory of the newest checkpoint with something changed.
    private func change(_ shop: ShopHistory, _ name: String, _ sql: String) throws {
        #expect(try CheckpointBinary.run(["restore", "latest", "--to", name] + StoreTests.store, in: shop.directory.path).status == 0)
        var database: OpaquePointer?
        defer { sqlite3_close_v2(database) }
        try #require(
            sqlite3_open(shop.directory.file("\(name)/state.db"), &database) == SQLITE_OK
                && sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK)
    }

    @Test func aJobGoesOnFromWhatWasMade() throws {
        let shop = try ShopHistory()
        let run = try CheckpointBinary.run(RepartitionTests.files[0].arguments, in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(try CheckpointBinary.run(["verify", "./grown"], in: shop.directory.path).status == 0)
        let restored = try SQLiteStateStore(directory: shop.directory.file("grown")).open(ShopJob.topology())
        #expect(restored.epoch == Epoch(6) && restored.partitions == ["shop.orders": 4, "totals": 1])
        #expect(restored.tasks.keys.filter { $0.stage == ShopJob.orders }.count == 4)
    }

    @Test func aWorkerThatMayStillRunIsNamed() throws {
        let shop = try ShopHistory(small: ())
        let arguments =
            ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown", "-o", "json"] + RepartitionTests.keyed
            + StoreTests.store
        let run = try CheckpointBinary.run(arguments, in: shop.directory.path)
        #expect(run.status == 0 && run.output.contains(#""mayStillRun":""#), "\(run.output)\(run.errors)")
    }

    /// Without any of the tool's own time, wherever it is: it waits for the list of keys, which never comes.
    @Test(arguments: [SIGTERM, SIGKILL])
    func oneThatIsKilledLeavesNoState(signal: Int32) throws {
        let shop = try ShopHistory()
        #expect(mkfifo(shop.directory.file("keys"), 0o600) == 0)
        let before = try FileManager.default.contentsOfDirectory(atPath: shop.directory.path).sorted()
        let arguments = ["repartition", "latest", "--drained", "--partitions", "4", "--to", "grown", "--assign", "keys"] + StoreTests.store
        let process = try ChildProcess(CheckpointBinary.path, arguments, workingDirectory: shop.directory.path)
        try waitUntil("the state file is there, in its temporary directory") {
            guard process.isRunning else { throw WaitedTooLong(description: "the tool ended: \(process.errors)") }
            let names = try FileManager.default.contentsOfDirectory(atPath: shop.directory.path)
            return names.contains {
                $0.hasPrefix("tidemark-scratch.") && FileManager.default.fileExists(atPath: shop.directory.file("\($0)/state.db"))
            }
        }
        process.send(signal)
        #expect(process.waitForExit() == (signal == SIGTERM ? 130 : -SIGKILL))
        let left = try FileManager.default.contentsOfDirectory(atPath: shop.directory.path).filter {
            !$0.hasPrefix("tidemark-scratch.") || signal == SIGTERM
        }
        #expect(left.sorted() == before)
    }
}
