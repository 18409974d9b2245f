import CheckpointStores
import Engine
import Foundation
import Logging
import SQLiteState
import Synchronization
import Worker

/// For how long a whole worker stops reading while checkpoints are made of a large state: records that are due at a fixed
/// rate, and how late each was read.
final class PauseMeasurement {
    private let directory: String
    private let source: PacedSource
    private let memoryBudget: Int
    private let seconds: Int

    /// `directory`: an empty one, on the disk that is to be measured. `seconds`: how long each part takes at least.
    init(directory: String, stateBytes: Int, rate: Int, memoryBudget: Int, seconds: Int) {
        self.directory = directory
        self.memoryBudget = memoryBudget
        self.seconds = seconds
        source = PacedSource(keys: stateBytes / PausedJob.recordBytes, partitions: 8, rate: rate)
    }

    func run() throws {
        try withWorker(checkpoints: nil) { worker in
            try wait(for: worker) { source.isFilled }
            // What filling it left to compact is compacted first.
            source.begin()
            let start = ContinuousClock.now
            try wait(for: worker) { ContinuousClock.now - start >= .seconds(seconds) }
            try measure("no checkpoints", worker) { $0 >= .seconds(seconds) }
        }
        let size = try FileManager.default.attributesOfItem(atPath: directory + "/state/state.db")[.size] as? Int ?? 0
        print("state file: \(size >> 20) MiB")
        let store = try CheckpointStore.open(location: directory + "/checkpoints", job: PausedJob.topology.job, environment: [:])
        let archive = LateArchive(try StoreArchive(store, stateDirectory: directory + "/state"))
        var settings = CheckpointSettings(archive: archive)
        settings.interval = .seconds(10)
        try withWorker(checkpoints: settings) { worker in
            try measure("a base", worker) { _ in worker.status.checkpoint.last != nil }
            let base = worker.status.checkpoint.last?.number ?? 0
            try measure("deltas", worker) { $0 >= .seconds(seconds) && (worker.status.checkpoint.last?.number ?? 0) >= base + 2 }
        }
    }

    /// Runs a worker on the state as it is, and drains it.
    private func withWorker(checkpoints: CheckpointSettings?, _ body: (Worker) throws -> Void) throws {
        var settings = WorkerSettings()
        settings.memoryBudget = memoryBudget
        settings.idleAfter = .seconds(3600)
        let store = try SQLiteStateStore(directory: directory + "/state")
        let worker = Worker(
            PausedJob.topology, settings: settings, source: source, store: store, sink: NoSink(), checkpoints: checkpoints,
            logger: Logger(label: "benchmark") { StreamLogHandler.standardError(label: $0) }
        )
        let ended = Mutex<Result<RunOutcome, any Error>?>(nil)
        let thread = Thread {
            let result = Result { try worker.run() }
            ended.withLock { $0 = result }
        }
        thread.start()
        try wait(for: worker) { try ended.withLock { try $0?.get() } != nil || worker.status.phase == .running }
        try body(worker)
        source.pause()
        worker.drain()
        try wait(for: worker) { try ended.withLock { try $0?.get() } != nil }
    }

    private func measure(_ what: String, _ worker: Worker, until isDone: (Duration) -> Bool) throws {
        source.begin()
        _ = source.takeLatenesses()
        let start = ContinuousClock.now
        let cpu = Figures.processSeconds
        try wait(for: worker) { isDone(ContinuousClock.now - start) }
        let late = source.takeLatenesses()
        let took = (ContinuousClock.now - start) / .seconds(1)
        print(
            String(
                format: "%@: %.0f s, %d records (CPU %.1f s): half were read within %d ms, 99.9 %% within %d ms, the latest after %.0f ms",
                what.padding(toLength: 14, withPad: " ", startingAt: 0), took, late.records, Figures.processSeconds - cpu,
                late.milliseconds(share: 0.5) + 1,
                late.milliseconds(share: 0.999) + 1, late.longest / .milliseconds(1)
            ))
    }

    /// Nothing here takes longer, on any disk that is worth measuring.
    private static let limit = Duration.seconds(1800)

    private func wait(for worker: Worker, until isDone: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + PauseMeasurement.limit
        while try !isDone() {
            guard ContinuousClock.now < deadline else { throw BenchmarkError("the worker takes too long; make the state smaller") }
            usleep(20_000)
        }
    }
}

/// A store that can't be reached when the run begins, so that the first base is made beside the work.
private final class LateArchive: CheckpointArchive {
    private let archive: any CheckpointArchive
    private let isReached = Atomic(false)

    init(_ archive: any CheckpointArchive) { self.archive = archive }

    func claim(_ facts: CheckpointFacts, _ change: ChangeAtRest) throws -> ArchiveStanding {
        guard isReached.exchange(true, ordering: .relaxed) else {
            throw CheckpointError(.retry, "not reachable yet, for the measurement's sake")
        }
        return try archive.claim(facts, change)
    }

    func publish(_ checkpoint: FinishedCheckpoint) throws -> PublishedCheckpoint { try archive.publish(checkpoint) }
    func confirmOwnership() throws { try archive.confirmOwnership() }
    func collect() throws { try archive.collect() }
}

/// Counts what each key brings, in records that are as long as a large state's.
private enum PausedJob {
    static let recordBytes = 300

    static let topology = Topology(
        job: "pause", version: 1,
        stages: [
            Stage("only", topic: PacedSource.topic) { $0.decode(with: Decoder()).rejecting(topic: PacedSource.topic).process(Counter()) }
        ])

    struct Key: BitwiseCopyable {
        let bytes: ByteView
    }

    struct Decoder: EventDecoder {
        func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Key> {
            .event(Key(bytes: record.key), at: EventTime(milliseconds: 0))
        }
    }

    struct Counter: KeyedProcessor {
        static let name = "counts"
        static let version = 1
        private let filling = Array(repeating: UInt8(ascii: "x"), count: recordBytes - 12)

        struct Record: StateRecord {
            var count: UInt64 = 0
            var filling = TextField()

            mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
                visit.field("count", &count)
                visit.field("filling", &filling)
            }
        }

        func key(of event: Key) -> ByteView? { event.bytes }

        mutating func process(_ event: Key, at time: EventTime, key: ByteView, state: inout Keyed<Record>) {
            state.record.count += 1
            if state.record.filling.isEmpty { filling.withUnsafeBytes { state.record.filling.set(ByteView($0)) } }
        }
    }
}

/// For a job whose only rows would be of records that can't be used.
private final class NoSink: BatchSink {
    func open(_ tables: [SinkTable]) -> [String: RowPartitioning] {
        Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, .none) })
    }
    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) throws -> DeliveryOutcome {
        throw BenchmarkError("\(batch.table) got rows")
    }
}
