import CheckpointStores
import Engine
import Foundation
import Logging
import SQLiteState
import TestSupport
import Testing
import Worker

/// The job of two versions with checkpoints in a directory store, one input, and one sink, which outlive its workers.
final class VisitRun {
    let directory: TemporaryDirectory
    let values: [String]
    let source = MemorySource(topic: VersionedJob.topic, partitions: 1)
    let sink = MemorySink()
    private var appended = 0

    static let partition = TopicPartition(topic: VersionedJob.topic, partition: 0)

    init(values: [String]) throws {
        self.values = values
        directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: stateDirectory, withIntermediateDirectories: false)
    }

    var stateDirectory: String { directory.file("state") }

    func checkpoints() throws -> CheckpointStore {
        try CheckpointStore.open(location: directory.file("store"), job: VersionedJob.job, environment: [:])
    }

    /// Visits in order of time, some 400 ms apart.
    static func visits(_ count: Int) -> [String] {
        (0..<count).map { "p\($0 * 7 % 6) v\($0 * 5 % 9) \($0 * 11 % 50) \(1_700_000_000_000 + $0 * 400 + $0 % 3 * 90)" }
    }

    func appendAll() { append(through: values.count) }

    private func append(through count: Int) {
        source.append(Array(values[appended..<count]), to: VisitRun.partition)
        appended = count
    }

    func worker(_ version: Int, untilEnd: Bool = false, archiving: Bool, interval: Duration = .seconds(3600)) throws -> RunningWorker {
        try worker(VersionedJob.topology(version), untilEnd: untilEnd, archiving: archiving, interval: interval)
    }

    func worker(
        _ topology: Topology, untilEnd: Bool = false, archiving: Bool, interval: Duration = .seconds(3600), dropping: [String] = []
    ) throws -> RunningWorker {
        var settings = WorkerSettings()
        settings.epochInterval = .milliseconds(10)
        settings.epochRecords = 25
        settings.flushInterval = .milliseconds(20)
        settings.drainTimeout = .milliseconds(300)
        settings.readsUntilEnd = untilEnd
        let store = try openStore(dropping: dropping)
        var checkpoints: CheckpointSettings?
        if archiving {
            checkpoints = CheckpointSettings(archive: try StoreArchive(self.checkpoints(), stateDirectory: stateDirectory))
            checkpoints?.interval = interval
        }
        return RunningWorker(
            Worker(
                topology, settings: settings, source: source, store: store, sink: sink, checkpoints: checkpoints,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ))
    }

    func openStore(dropping: [String] = []) throws -> SQLiteStateStore {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 2_000
        settings.droppedTables = dropping
        var opened: SQLiteStateStore?
        // The threads of a run that has ended let go of its store a moment later.
        try waitUntil("the state directory is free") {
            do {
                opened = try SQLiteStateStore(directory: stateDirectory, settings: settings)
                return true
            } catch let error as StateError where error.kind == .locked {
                return false
            }
        }
        return opened!
    }

    /// Reads so many records in all and drains; with checkpoints, the first one of the run is there before it reads.
    func drained(_ version: Int, through count: Int, archiving: Bool) throws {
        let before = archiving ? try checkpoints().newestNumber() : nil
        let running = try worker(version, archiving: archiving)
        if archiving { try waitUntil("the run's first checkpoint is there") { try checkpoints().newestNumber() != before } }
        append(through: count)
        try waitUntil("all is read") { source.readCount == count }
        running.drain()
        #expect(try running.wait() == .complete)
    }

    /// Reads so many records in all while the sink is down, until a checkpoint of an interval has them.
    func stoppedWithoutSink(_ version: Int, through count: Int) throws {
        let before = try checkpoints().newestNumber()
        sink.setDown(true)
        let running = try worker(version, archiving: true, interval: .seconds(1))
        try waitUntil("the run's first checkpoint is there") { try checkpoints().newestNumber() != before }
        append(through: count)
        try waitUntil("a checkpoint has all") { try checkpoints().newest()?.tasks.first?.next == Int64(count) }
        running.drain()
        #expect(try running.wait() != .complete)
    }
}
