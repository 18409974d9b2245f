import CheckpointStores
import Engine
import Foundation
import SQLiteState
import Testing

@testable import checkpoint

@Suite("The checkpoint tool's verbs on a store write what they always wrote, and change what they say")
struct StoreTests {
    static let store = ["--store", "store", "--job", "shop"]

    static let files = [
        GoldenFile(name: "ls", arguments: ["ls"] + store),
        GoldenFile(name: "ls-json", arguments: ["ls", "--limit", "1", "-o", "json"] + store),
        GoldenFile(name: "ls-empty", arguments: ["ls", "--store", "nowhere", "--job", "shop"]),
        GoldenFile(name: "ls-other-job", arguments: ["ls", "--store", "store", "--job", "shp"]),
        GoldenFile(name: "reference-too-high", arguments: ["show", "7"] + store),
        GoldenFile(name: "reference-other-tag", arguments: ["show", "tag:after-five"] + store),
        GoldenFile(name: "rewind-no-sink", arguments: ["rewind", "2"] + store),
        GoldenFile(name: "export-no-format", arguments: ["export", "baskets", "--to", "baskets.txt"] + store),
        GoldenFile(name: "export-two-formats", arguments: ["export", "baskets", "--to", "baskets.csv", "--format", "sqlite"] + store),
        GoldenFile(name: "verify", arguments: ["verify", "--all"] + store),
        GoldenFile(name: "verify-state", arguments: ["verify", "./state"]),
        GoldenFile(name: "show-state", arguments: ["show", "./state"]),
        GoldenFile(name: "history", arguments: ["history", "baskets", "anna"] + store),
        GoldenFile(name: "history-json", arguments: ["history", "hourly", "carla", "-o", "json"] + store),
        GoldenFile(name: "watch", arguments: ["watch", "--from", "1", "--count", "4"] + store),
        GoldenFile(name: "rewind-dry-run", arguments: ["rewind", "tag:before-five", "--sink", "delete", "--dry-run"] + store),
        GoldenFile(name: "rewind-off-terminal", arguments: ["rewind", "2", "--sink", "delete", "-o", "json"] + store),
        GoldenFile(name: "prune-dry-run", arguments: ["prune", "--keep-last", "1", "--older-than", "0s", "--dry-run"] + store),
        GoldenFile(name: "gc-nothing", arguments: ["gc", "--older-than", "0s"] + store),
        GoldenFile(name: "untag-dry-run", arguments: ["untag", "before-five", "--dry-run"] + store),
        GoldenFile(name: "reference-wrong", arguments: ["show", "newest"] + store),
        GoldenFile(name: "reference-too-early", arguments: ["show", "@2026-08-01T00:00Z"] + store),
        GoldenFile(name: "no-store", arguments: ["show"]),
    ]

    @Test(arguments: files)
    func aVerbWritesWhatItAlwaysWrote(file: GoldenFile) throws {
        let shop = try ShopHistory.shared.get()
        let found = file.text(of: try CheckpointBinary.run(file.arguments, in: shop.directory.path))
        #expect(GoldenFile.comparable(try file.expected(or: found)) == GoldenFile.comparable(found))
    }

    /// Whatever is asked of them: a place that is mistyped is never an empty store.
    @Test(arguments: [
        ["ls"], ["verify", "--all"], ["verify"], ["history", "baskets", "anna"], ["prune", "--dry-run"], ["gc", "--dry-run"], ["show"],
        ["offsets"],
        ["untag", "held", "--dry-run"], ["tag", "latest", "held"], ["copy", "1", "--to", "other"],
        ["restore", "latest", "--to", "restored"],
        ["rewind", "latest", "--sink", "delete", "--dry-run"], ["diff", "1", "2"], ["recover", "latest", "--to", "recovered.db"],
        ["reconcile", "--clickhouse", "http://127.0.0.1:1"],
    ])
    func aMistypedJobOrStoreIsNotFoundAndWhatIsThereIsNamed(verb: [String]) throws {
        let shop = try ShopHistory.shared.get()
        let job = try CheckpointBinary.run(verb + ["--store", "store", "--job", "shp"], in: shop.directory.path)
        #expect(
            job.status == 10 && job.errors.contains("no checkpoints of job shp in store, but those of shop"),
            "\(job.status) \(job.output)\(job.errors)")
        let store = try CheckpointBinary.run(verb + ["--store", "stroe", "--job", "shop"], in: shop.directory.path)
        #expect(
            store.status == 10 && store.errors.contains("no checkpoints of job shop in stroe, nor of any other"),
            "\(store.status) \(store.output)\(store.errors)")
        #expect(!FileManager.default.fileExists(atPath: shop.directory.file("stroe")))
    }

    @Test func restoreMakesTheStateOfTheCheckpointAndOverwritesNothing() throws {
        let shop = try ShopHistory.shared.get()
        let target = shop.directory.file("restored-\(UUID().uuidString)")
        let run = try CheckpointBinary.run(["restore", "3", "--to", target] + StoreTests.store, in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(try CheckpointBinary.run(["diff", "\(target)/state.db", "3"] + StoreTests.store, in: shop.directory.path).status == 0)
        #expect(try SQLiteStateStore(directory: target).open(ShopJob.topology()).epoch == Epoch(5))
        let again = try CheckpointBinary.run(["restore", "2", "--to", target] + StoreTests.store, in: shop.directory.path)
        #expect(again.status == 1)
        #expect(again.errors.contains("nothing is overwritten"))
        #expect(try CheckpointBinary.run(["diff", "\(target)/state.db", "3"] + StoreTests.store, in: shop.directory.path).status == 0)
    }

    @Test func rewindPublishesANewLineageAndMakesItsStateDirectory() throws {
        let shop = try ShopHistory()
        let run = try CheckpointBinary.run(
            ["rewind", "2", "--sink", "delete", "--to", "back", "--yes"] + StoreTests.store, in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        let store = try CheckpointStore.open(location: shop.directory.file("store"), job: ShopJob.job, environment: [:])
        let newest = try #require(try store.newest())
        #expect(newest.number == ManifestNumber(5) && newest.lineage == Lineage(2) && newest.epoch == Epoch(4) && newest.reason == .rewind)
        let state = try SQLiteStateStore(directory: shop.directory.file("back"))
        let restored = try state.open(ShopJob.topology())
        #expect(restored.lineage == Lineage(2) && restored.epoch == Epoch(4))
        // Batch 2 was frozen and not known to be delivered: its rows wait again.
        #expect(restored.outbox.first { $0.table == "order_totals" }?.pending.map(\.rowCount) == [4])
    }

    /// Of a worker that goes on, and of one that is started on it.
    @Test func aStateDirectoryFromBeforeARewindIsToBeRemoved() throws {
        let shop = try ShopHistory()
        let store = try CheckpointStore.open(location: shop.directory.file("store"), job: ShopJob.job, environment: [:])
        let facts = try #require(try store.newest()).facts
        let archive = try StoreArchive(store, stateDirectory: shop.directory.file("state"))
        _ = try archive.claim(facts, .none)
        #expect(
            try CheckpointBinary.run(["rewind", "2", "--sink", "delete", "--yes"] + StoreTests.store, in: shop.directory.path).status == 0)
        let later = try StoreArchive(store, stateDirectory: shop.directory.file("state"))
        for error in [
            #expect(throws: CheckpointError.self) { try archive.confirmOwnership() },
            #expect(throws: CheckpointError.self) { _ = try later.claim(facts, .none) },
        ] {
            #expect(error?.kind == .fenced)
            #expect(
                error?.message.contains("`checkpoint rewind` went back in this job") == true && error?.message.contains("remove") == true,
                "\(error.map { "\($0)" } ?? "")")
        }
    }

    @Test func aTaskBeforeItsFirstRecordShowsNoWatermark() {
        for none in [nil, EventTime.distantPast] { #expect(Cell.watermark(none).json == "null" && Cell.watermark(none).text == "") }
        #expect(Cell.watermark(EventTime(milliseconds: 0)).text == "1970-01-01T00:00:00Z")
    }

    @Test func theNameOfAnExportSaysItsFormat() throws {
        let shop = try ShopHistory.shared.get()
        for (ending, beginning) in [("csv", "partition,"), ("jsonl", "{"), ("db", "SQLite format 3"), ("sqlite", "SQLite format 3")] {
            let file = shop.directory.file("export-\(UUID().uuidString).\(ending)")
            #expect(try CheckpointBinary.run(["export", "hourly", "--to", file] + StoreTests.store, in: shop.directory.path).status == 0)
            let bytes = try #require(FileManager.default.contents(atPath: file))
            #expect(bytes.starts(with: Data(beginning.utf8)), "\(ending)")
        }
    }

    @Test func pruneKeepsTheNewestAndTaggedOnesAndWhatTheyNeed() throws {
        let shop = try ShopHistory()
        let run = try CheckpointBinary.run(
            ["prune", "--keep-last", "1", "--older-than", "0s", "--yes"] + StoreTests.store, in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        let verify = try CheckpointBinary.run(["verify", "--all", "-o", "jsonl"] + StoreTests.store, in: shop.directory.path)
        #expect(verify.status == 0)
        #expect(
            verify.output.split(separator: "\n").dropFirst().map { $0.prefix(17) } == ["{\"checkpoint\":\"4\"", "{\"checkpoint\":\"2\""])
    }

    @Test func aCopyHoldsTheSameState() throws {
        let shop = try ShopHistory.shared.get()
        let other = "copy-\(UUID().uuidString)"
        let run = try CheckpointBinary.run(["copy", "3", "--to", other] + StoreTests.store, in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        let there = ["--store", other, "--job", "shop"]
        #expect(try CheckpointBinary.run(["verify", "--all"] + there, in: shop.directory.path).status == 0)
        let scans = try [StoreTests.store + ["--at", "3"], there].map {
            try CheckpointBinary.run(["export", "baskets"] + $0, in: shop.directory.path).output
        }
        #expect(scans[0] == scans[1] && !scans[0].isEmpty)
    }

    @Test func tagsComeAndGo() throws {
        let shop = try ShopHistory()
        let directory = shop.directory.path
        #expect(try CheckpointBinary.run(["tag", "latest~1", "held"] + StoreTests.store, in: directory).status == 0)
        #expect(
            try CheckpointBinary.run(["get", "baskets", "anna", "--at", "tag:held"] + StoreTests.store, in: directory).output.hasPrefix(
                "checkpoint  3\n"))
        #expect(try CheckpointBinary.run(["tag", "1", "held"] + StoreTests.store, in: directory).status == 1)
        #expect(try CheckpointBinary.run(["untag", "held", "--yes"] + StoreTests.store, in: directory).status == 0)
        #expect(try CheckpointBinary.run(["show", "tag:held"] + StoreTests.store, in: directory).status == 10)
    }
}
