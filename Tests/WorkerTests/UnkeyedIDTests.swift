import Engine
import Foundation
import SQLiteState
import TestSupport
import Testing
import Worker

/// `Tests/Golden/State/unkeyed-ids` is what a build left that knew no key: it remembered the ids of `UnkeyedIDTests.early`.
@Suite("Ids that an earlier build remembered without a key are known again until their horizon is over")
struct UnkeyedIDTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Golden/State/unkeyed-ids")
    private static let partitions = 2
    private static let early = RepartitionTests.purchases(0..<40)
    /// Ids of the buckets that are remembered; some were written, some not.
    private static let repeated = early.filter { $0.second >= 20 }
    private static let late = RepartitionTests.purchases(40..<90)

    /// What the sink has by now, with what it had when the file was left.
    private func rows(_ bench: Bench) throws -> [String] {
        let before = try String(contentsOf: UnkeyedIDTests.folder.appending(path: "delivered.txt"), encoding: .utf8).split(separator: "\n")
            .map(String.init)
        return (before + bench.sink.rows.map(\.text)).sorted()
    }

    private func bench() throws -> Bench {
        let bench = try Bench(.once, partitions: UnkeyedIDTests.partitions)
        try FileManager.default.copyItem(
            at: UnkeyedIDTests.folder.appending(path: "state.db"), to: URL(fileURLWithPath: bench.directory.file("state.db")))
        return bench
    }

    /// How many remembered records of each kind a state has.
    private func records(_ directory: String) throws -> (unkeyed: Int, keyed: Int) {
        var held: HeldState?
        try waitUntil("the worker lets go of the state") {
            do {
                held = try HeldState(path: directory) { throw WaitedTooLong(description: "the worker left a log") }
                return true
            } catch let error as StateError where error.kind == .locked {
                return false
            }
        }
        let reader = try #require(held).reader
        let scan = try reader.scan(reader.table(named: "purchase_ids"))
        var found = (unkeyed: 0, keyed: 0)
        while let row = try scan.next() {
            guard case .text(let hashes)? = try row.values().first else { continue }
            if hashes.count % 16 == 0 { found.unkeyed += 1 } else { found.keyed += 1 }
        }
        return found
    }

    @Test func copiesAreKnownAcrossRestarts() throws {
        let bench = try bench()
        #expect(try records(bench.directory.path).keyed == 0)
        let values = RepartitionTests.values(
            UnkeyedIDTests.early + UnkeyedIDTests.repeated + UnkeyedIDTests.late, UnkeyedIDTests.partitions)
        let known = RepartitionTests.values(UnkeyedIDTests.early, UnkeyedIDTests.partitions).reduce(0) { $0 + $1.count }
        // It stops among the copies, and again soon behind them, while both kinds of hashes are remembered.
        var read = known
        for more in [60, 140, 100] {
            let share = values.map { Array($0.prefix((read + more) / values.count)) }
            try RepartitionTests.runAndStop(bench, share, after: read)
            read = share.reduce(0) { $0 + $1.count }
        }
        let mixed = try records(bench.directory.path)
        #expect(mixed.unkeyed > 0 && mixed.keyed > 0, "\(mixed)")
        #expect(try bench.start(untilEnd: true, source: RepartitionTests.source(values)).wait() == .complete)
        #expect(try rows(bench) == PurchaseReference.rows(of: .once, values).sorted())
        let left = try records(bench.directory.path)
        #expect(left.unkeyed == 0, "their horizon is over")
    }

    @Test(arguments: [3, 4])
    func copiesAreKnownAfterTheTopicGrew(partitions: Int) throws {
        let bench = try bench()
        let (early, repeated, late) = (UnkeyedIDTests.early, UnkeyedIDTests.repeated, UnkeyedIDTests.late)
        // Some ids are remembered with the key, in the same buckets as others without.
        let some = Array(repeated.prefix(40)) + late.filter { $0.second < 44 }
        let before = RepartitionTests.values(early + some, UnkeyedIDTests.partitions)
        try RepartitionTests.runAndStop(bench, before, after: early.count)
        let target = try RepartitionTests.repartition(bench.directory.path, to: partitions, isDrained: true)
        let mixed = try records(target.path)
        #expect(mixed.unkeyed > 0 && mixed.keyed > 0, "\(mixed)")
        let again = repeated + late.filter { $0.second < 44 }
        let rest = late.filter { $0.second >= 44 }
        let grown = zip(
            before + Array(repeating: [], count: partitions - UnkeyedIDTests.partitions), RepartitionTests.values(again + rest, partitions)
        ).map { $0 + $1 }
        #expect(try bench.start(untilEnd: true, source: RepartitionTests.source(grown), on: target.path).wait() == .complete)
        #expect(
            try rows(bench)
                == PurchaseReference.rows(of: .once, RepartitionTests.values(early + some + again + rest, UnkeyedIDTests.partitions))
                .sorted())
    }

    /// Made the file, in the build before the one that brought the key: README.md beside it.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_UNKEYED_IDS"] != nil))
    func makeAFile() throws {
        let target = URL(fileURLWithPath: try #require(ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_UNKEYED_IDS"]))
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        let bench = try Bench(.once, partitions: UnkeyedIDTests.partitions)
        bench.storeSettings.compactionBytes = 4_000
        bench.settings.epochRecords = 40
        try RepartitionTests.runAndStop(bench, RepartitionTests.values(UnkeyedIDTests.early, UnkeyedIDTests.partitions))
        try waitUntil("the file is whole") { !FileManager.default.fileExists(atPath: bench.directory.file("state.db-wal")) }
        try FileManager.default.copyItem(atPath: bench.directory.file("state.db"), toPath: target.appending(path: "state.db").path)
        try Data(bench.sink.rows.map { $0.text + "\n" }.joined().utf8).write(to: target.appending(path: "delivered.txt"))
    }
}
