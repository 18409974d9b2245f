import Engine
import FintechJob
import Foundation
import SQLiteState
import TestSupport
import Testing

@Suite("finalize and --drop: an upgrade ends when the operator says so, and no sooner")
struct FinalizeTests {
    private let directory: TemporaryDirectory
    private var topology: Topology { FintechJob.topology(settings: FintechSettings()) }

    init() throws {
        directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("log"), withIntermediateDirectories: true)
        try """
        job: {id: fintech}
        input: {directory: "\(directory.file("log"))"}
        clickhouse: {url: "http://127.0.0.1:9"}
        state: {directory: "\(directory.file("state"))"}
        http: {bind: off}
        log: {format: text}
        """.write(toFile: directory.file("job.yaml"), atomically: true, encoding: .utf8)
    }

    private func run(_ command: String, _ more: String...) throws -> FinishedRun {
        try TidemarkBinary.run([command, "--config", directory.file("job.yaml")] + more)
    }

    private struct Nothing: BitwiseCopyable {}

    private struct NothingDecoder: EventDecoder {
        func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Nothing> { .skipped("unused") }
    }

    private struct Count: StateRecord {
        var count: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("count", &count) }
    }

    /// State that another version of the job has begun, which has a stage more.
    private func begin(version: Int) throws {
        let extra = Stage("extra", partitions: 1) { setup in
            _ = setup.records("old", version: 1, of: Count.self)
            return setup.decode(with: NothingDecoder())
        }
        let earlier = Topology(job: "fintech", version: version, stages: topology.stages + [extra], references: topology.references)
        _ = try SQLiteStateStore(directory: directory.file("state")).open(earlier)
    }

    @Test func withoutStateThereIsNothingToFinalize() throws {
        let done = try run("finalize")
        #expect(done.status == 10 && done.errors.contains("no state in"), "\(done)")
    }

    @Test func theStateOfANewerVersionStopsEveryCommandThatWouldGoOnFromIt() throws {
        try begin(version: topology.version + 1)
        for command in ["run", "finalize"] {
            let done = try run(command)
            #expect(done.status == 5 && done.errors.contains("version \(topology.version + 1)"), "\(command): \(done)")
        }
        let check = try run("check")
        #expect(
            check.status == 2
                && check.output.contains("finding  state versions: the state may be read from version \(topology.version + 1)"), "\(check)")
    }

    @Test func checkSaysWhatAStartWouldDoAndFinalizeEndsIt() throws {
        try begin(version: topology.version - 1)
        let early = try run("finalize")
        #expect(early.status == 5 && early.errors.contains("has not run on it yet"), "\(early)")
        let check = try run("check").output
        #expect(check.contains("ok       state table extra/old: ignore, this version of the job does not have it"), "\(check)")
        #expect(check.contains("ok       finalize: pending, version \(topology.version - 1) of the job can still go on"), "\(check)")
        let named = try run("check", "--drop", "extra/old").output
        #expect(named.contains("ok       state table extra/old: drop") && !named.contains("finalize: pending"), "\(named)")
        let unknown = try run("check", "--drop", "nonsense").output
        #expect(unknown.contains("finding  state table /nonsense: --drop names it, but the state has no such table"), "\(unknown)")

        _ = try SQLiteStateStore(directory: directory.file("state")).open(topology)
        let done = try run("finalize")
        #expect(
            done.status == 0 && done.output.contains("kept state table extra/old")
                && done.output.contains("final: version \(topology.version)"), "\(done)")
        #expect(try !run("check").output.contains("finalize: pending"))
        let dropped = try run("finalize", "--drop", "old")
        #expect(dropped.status == 0 && dropped.output.contains("dropped state table extra/old"), "\(dropped)")
        let again = try run("finalize", "--drop", "old")
        #expect(again.status == 5 && again.errors.contains("no such table"), "\(again)")
    }

    @Test func aRunningJobIsNotFinalized() throws {
        try begin(version: topology.version)
        let store = try SQLiteStateStore(directory: directory.file("state"))
        let done = try run("finalize")
        #expect(done.status == 11, "\(done)")
        withExtendedLifetime(store) {}
    }
}
