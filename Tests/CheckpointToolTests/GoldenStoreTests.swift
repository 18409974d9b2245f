import CheckpointStores
import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Checkpoint stores of every format that was ever released are read and restored by this build")
struct GoldenStoreTests {
    /// State files have had checkpoints made of them since this format.
    private static let firstStateFormat = 2

    /// What is looked at of a job.
    private struct Look {
        /// State tables, and a key that the base has in each.
        let tables: [(name: String, key: String)]
        /// Those of which every record of each restored checkpoint is compared; of the others the first three.
        let wholeTables: Set<String>
        let batch: String
    }

    private static let looks = [
        "visits": Look(
            tables: [("pages", "p1"), ("hours", "p1"), ("gone", "v1")], wholeTables: ["pages", "hours", "gone"], batch: "lines:1"),
        "fintech": Look(
            tables: [
                ("customer_transaction_metrics", "0cccf1eb-f9ec-4054-a152-c9b0f30fd360"),
                ("fraud_detection_alerts", "05d54cb2-fa2f-4afd-a77f-7935b3bd4390"),
                ("customer_lifecycle_analytics", "05d54cb2-fa2f-4afd-a77f-7935b3bd4390"),
                ("customer_session_metrics", "0876b34d-77d0-496d-a979-367f3314b305"),
                ("merchant_partials", "1a2b9de0-d15d-4306-a194-ccacfd3a233d"),
            ],
            wholeTables: ["customer_session_metrics", "merchant_partials"], batch: "customer_lifecycle_analytics:1"
        ),
    ]

    @Test func everyFormatThatIsKnownHasAGoldenStore() throws {
        let formats = try Set(GoldenStore.all().map(\.formats))
        let (state, oldestState) = (Int(StateFormat.version), Int(StateFormat.upgradable.lowerBound))
        let present = GoldenStore.Formats(manifest: Manifest.format, delta: Int(DeltaFormat.version), state: state)
        #expect(
            formats.contains(present),
            "a format has a new number: add a store in \(present), as Tests/Golden/Checkpoints/README.md says, and leave the others as they are"
        )
        for version in 1...Manifest.format {
            #expect(formats.contains { $0.manifest == version }, "no golden store has manifests of format \(version)")
        }
        for version in 1...Int(DeltaFormat.version) {
            #expect(formats.contains { $0.delta == version }, "no golden store has deltas of format \(version)")
        }
        for version in max(oldestState, GoldenStoreTests.firstStateFormat)...state {
            #expect(formats.contains { $0.state == version }, "no golden store has states of format \(version)")
        }
        let files = try GoldenStore.stateFileFormats()
        #expect(files == Array(oldestState...state), "a golden state file for each format")
        #expect(Int(StateReader.newestFormat) == state)
    }

    /// A SQLite file's `PRAGMA user_version`: four bytes, big-endian, at 60.
    private static func userVersion(_ file: Data) -> Int { file[60..<64].reduce(0) { $0 << 8 | Int($1) } }

    @Test(arguments: try GoldenStore.all())
    func theNumbersInItsNameAreThoseInItsFiles(golden: GoldenStore) throws {
        for (path, file) in try golden.files() {
            if path.contains("/snapshots/") { #expect(GoldenStoreTests.userVersion(file) == golden.formats.state, "\(path)") }
            if path.contains("/deltas/") { #expect(GoldenStoreTests.userVersion(file) == golden.formats.delta, "\(path)") }
            guard path.contains("/manifests/") else { continue }
            let fields = try #require(try JSONSerialization.jsonObject(with: file) as? [String: Any])
            #expect(fields["format"] as? Int == golden.formats.manifest, "\(path)")
            #expect(fields["collected"] != nil || fields["stateFormat"] as? Int == golden.formats.state, "\(path)")
        }
        let paths = try Set(golden.files().keys.compactMap { $0.hasPrefix("store/\(golden.job)/") ? $0.split(separator: "/")[2] : nil })
        #expect(paths == ["collected.json", "deltas", "manifests", "snapshots", "tags"])
    }

    /// Verbs on the store, a restore of each checkpoint, and what is then in the restored directories.
    private func commands(_ golden: GoldenStore) throws -> [GoldenFile] {
        let store = ["--store", "store", "--job", golden.job]
        let numbers = try golden.reads().map { "\($0.checkpoint)" }
        let look = try #require(GoldenStoreTests.looks[golden.job], "nobody said which tables \(golden.job) has")
        var commands: [(name: String, arguments: [String])] = [
            ("verify", ["verify", "--all"] + store), ("ls", ["ls"] + store), ("show", ["show", "latest"] + store),
            ("show-tagged", ["show", "tag:first"] + store), ("show-collected", ["show", "3"] + store), ("stats", ["stats"] + store),
            ("diff", ["diff", numbers[0], "latest", "--summary"] + store), ("diff-tagged", ["diff", "tag:second", "latest"] + store),
            ("explain", ["explain", "--batch", look.batch] + store), ("sql-columns", ["sql", "latest"] + store),
        ]
        for (table, key) in look.tables {
            commands.append(("scan-\(table)", ["scan", table, "--limit", "3"] + store))
            commands.append(("get-\(table)", ["get", table, key, "--at", numbers[0]] + store))
        }
        for number in numbers {
            let restored = "restored-\(number)"
            commands.append(("restore-\(number)", ["restore", number, "--to", restored] + store))
            for verb in ["show", "offsets", "windows", "timers"] { commands.append(("\(verb)-\(number)", [verb, "./\(restored)"])) }
            for (table, _) in look.tables {
                let verb = look.wholeTables.contains(table) ? ["export", table] : ["scan", table, "--limit", "3", "-o", "jsonl"]
                commands.append(("records-\(table)-\(number)", verb + ["--at", "./\(restored)"]))
            }
            commands.append(("diff-restored-\(number)", ["diff", "./\(restored)", number] + store))
        }
        return commands.map { GoldenFile(name: $0.name, arguments: $0.arguments, folder: "\(golden.path)/expected") }
    }

    @Test(arguments: try GoldenStore.all())
    func theToolReadsAndRestoresItAsItAlwaysDid(golden: GoldenStore) throws {
        let untouched = try golden.files().filter { !$0.key.hasPrefix("expected/") }
        let directory = try TemporaryDirectory("tidemark-golden")
        try golden.copy(into: directory)
        for file in try commands(golden) {
            let found = file.text(of: try CheckpointBinary.run(file.arguments, in: directory.path))
            #expect(GoldenFile.comparable(try file.expected(or: found)) == GoldenFile.comparable(found), "\(golden), \(file.name)")
        }
        #expect(try golden.files().filter { !$0.key.hasPrefix("expected/") } == untouched)
    }

    /// No build wrote checkpoints of state files of format 1; one that is made up is read, and refused to be restored, in words.
    @Test func aBaseOfAFormatBeforeCheckpointsIsReadAndNotRestored() throws {
        let directory = try TemporaryDirectory("tidemark-golden")
        let file = GoldenStore.stateFile(format: 1)
        let facts = try StateReader(path: file).facts
        let store = try CheckpointStore.open(location: directory.file("store"), job: facts.job, environment: [:])
        let said = CheckpointFacts(
            job: facts.job, jobVersion: facts.jobVersion, stateFormat: 1, identity: facts.identity, hashKey: nil, lineage: facts.lineage,
            epoch: facts.epoch, partitions: [:], tasks: [], tables: []
        )
        let draft = ManifestDraft(said, after: nil, retaining: [], writer: "test", createdAt: 0, reason: .interval)
        _ = try store.publish(draft, files: [NewObject(kind: .base, file: file, epoch: facts.epoch)])
        let arguments = ["--store", "store", "--job", facts.job]
        for verb in ["verify", "show", "stats", "windows", "timers", "offsets"] {
            let run = try CheckpointBinary.run([verb] + arguments, in: directory.path)
            #expect(run.status == 0, "\(verb): \(run.errors)")
        }
        let restore = try CheckpointBinary.run(["restore", "1", "--to", "restored"] + arguments, in: directory.path)
        #expect(restore.status == 5 && restore.errors.contains("has format 1, this version of Tidemark reads 2"), "\(restore.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["store"])
    }
}
