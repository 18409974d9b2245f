import CheckpointStores
import Engine
import Foundation
import SQLiteState
import TestSupport
import Testing

@Suite("Checkpoint stores of every format that was ever released are gone on from by this build")
struct GoldenCheckpointTests {
    /// A store, a checkpoint of it, and the version of the job that goes on.
    struct Start: CustomStringConvertible, Sendable {
        let store: GoldenStore
        let checkpoint: UInt64
        /// How many records it had read.
        let read: Int
        let isNewest: Bool
        let version: Int

        var description: String { "\(store), checkpoint \(checkpoint), version \(version)" }
    }

    static func starts() throws -> [Start] {
        try GoldenStore.all().filter { $0.job == VersionedJob.job }.flatMap { store in
            let reads = try store.reads()
            return reads.flatMap { checkpoint, read in
                [1, 2].map {
                    Start(store: store, checkpoint: checkpoint, read: read, isNewest: checkpoint == reads.last?.checkpoint, version: $0)
                }
            }
        }
    }

    @Test func thereAreStores() throws { #expect(try GoldenCheckpointTests.starts().count >= 6) }

    /// Restored from any of its checkpoints the job reads what it had not read, and writes what it had not delivered; a
    /// newer version of it migrates the state first.
    @Test(arguments: try starts())
    func aJobGoesOnFromEachCheckpoint(start: Start) throws {
        let untouched = try start.store.files()
        let run = try VisitRun(values: start.store.lines("input.txt"))
        try start.store.copy(into: run.directory)
        let store = try run.checkpoints()
        let manifest = try store.resolve(.number(ManifestNumber(start.checkpoint)))
        let fetched = try store.fetch(manifest, into: run.directory.path)
        try StateAssembly.assemble(base: fetched.base, deltas: fetched.deltas, into: run.stateDirectory + "/state.db")
        run.appendAll()
        if try refusesOtherVersions(run.stateDirectory + "/state.db"), start.version != manifest.jobVersion {
            let error = #expect(throws: StateError.self) { try run.worker(start.version, untilEnd: true, archiving: false).wait() }
            #expect(error?.kind == .incompatible && error?.message.contains("stop it with SIGTERM, so that it drains") == true)
            return
        }
        // Only from the newest one a worker goes on in the store, too.
        #expect(try run.worker(start.version, untilEnd: true, archiving: start.isNewest).wait() == .complete)

        #expect(
            run.source.reads(of: VisitRun.partition) == (start.read..<run.values.count).map(Int64.init), "what was read is not read again")
        var model = VersionedModel()
        for value in run.values.prefix(start.read) { model.read(value) }
        model.start(start.version)
        for value in run.values.dropFirst(start.read) { model.read(value) }
        model.end()
        #expect(try (start.store.lines("delivered-\(start.checkpoint).txt") + run.sink.rows.map(\.text)).sorted() == model.lines.sorted())
        if start.isNewest {
            var refused: [String] = []
            let newest = try store.newestVerified(deep: true) { refused.append("\($0): \($1)") }
            #expect(refused == [] && newest?.jobVersion == start.version)
            #expect(newest.map { $0.number > manifest.number && $0.tasks[0].next == Int64(run.values.count) } == true)
        }
        #expect(try start.store.files() == untouched)
    }

    /// Format 2 does not say how rows that wait are laid out: only the version that wrote it knows.
    private func refusesOtherVersions(_ file: String) throws -> Bool {
        let reader = try StateReader(path: file)
        return try reader.facts.format < 3 && !reader.waitingRows().isEmpty
    }

    /// Writes a store in the formats that this build writes; the page beside the stores says when.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_STORE"] != nil))
    func makeAStore() throws {
        let target = try #require(ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_STORE"])
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let run = try VisitRun(values: VisitRun.visits(400))
        let store = try run.checkpoints()
        var read: [String] = []
        func note(_ checkpoint: Int, _ through: Int) throws {
            read.append("\(checkpoint) \(through)")
            try write(run.sink.rows.map(\.text), to: "\(target)/delivered-\(checkpoint).txt")
        }
        // The first run has no checkpoints, so that the second one's first is a base with something in it.
        try run.drained(1, through: 150, archiving: false)
        try note(1, 150)
        try run.drained(1, through: 220, archiving: true)
        try note(2, 220)
        try run.stoppedWithoutSink(1, through: 300)
        try note(4, 300)
        try store.tag(ManifestNumber(1), as: "first")
        try store.tag(ManifestNumber(2), as: "second")
        let newest = try #require(try store.newest())
        #expect(newest.number == ManifestNumber(4) && newest.objects.count == 3)
        #expect(try store.collect(RetentionPolicy(last: 1), olderThan: .zero, now: .max / 2).manifests == [ManifestNumber(3)])
        try write(read, to: "\(target)/read.txt")
        try write(run.values, to: "\(target)/input.txt")
        try FileManager.default.removeItem(atPath: run.directory.file("store/.incoming"))
        try FileManager.default.copyItem(atPath: run.directory.file("store"), toPath: "\(target)/store")
    }

    private func write(_ lines: [String], to file: String) throws {
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: file))
    }
}
