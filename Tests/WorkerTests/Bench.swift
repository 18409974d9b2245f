import Engine
import Foundation
import Logging
import SQLiteState
import Simulation
import Synchronization
import TestSupport
import Testing
import Worker

/// A purchase job on real parts but for its source and sink: the worker, its threads, and a state directory.
final class Bench {
    let job: PurchaseJob
    let directory: TemporaryDirectory
    let source: MemorySource
    let sink = MemorySink()
    /// A second sink, for the runs that are started with it.
    let additionalSink = MemorySink()
    var hasAdditionalSink = false
    var settings = WorkerSettings()
    var storeSettings = SQLiteStateStore.Settings()

    init(_ job: PurchaseJob, partitions: Int) throws {
        self.job = job
        directory = try TemporaryDirectory()
        source = MemorySource(topic: PurchaseJob.topic, partitions: partitions)
        settings.threads = 2
        settings.epochInterval = .milliseconds(20)
        settings.flushInterval = .milliseconds(50)
    }

    static let further = SinkName("further")

    static func partition(_ number: Int) -> TopicPartition { TopicPartition(topic: PurchaseJob.topic, partition: number) }

    func append(_ values: [[String]]) {
        for (number, values) in values.enumerated() { source.append(values, to: Bench.partition(number)) }
    }

    /// A worker on the directory, or on another one, which nobody else uses any more.
    func start(
        untilEnd: Bool, source: (any RecordSource)? = nil, on other: String? = nil, checkpoints: CheckpointSettings? = nil,
        store wrapped: (SQLiteStateStore) -> any StateStore = { $0 }
    ) throws -> RunningWorker {
        var settings = settings
        settings.readsUntilEnd = untilEnd
        // The threads of a run that has ended let go of its store a moment later.
        var opened: SQLiteStateStore?
        try waitUntil("the state directory is free", within: 10) {
            do {
                opened = try SQLiteStateStore(directory: other ?? directory.path, settings: storeSettings)
                return true
            } catch let error as StateError where error.kind == .locked {
                return false
            }
        }
        let store = opened!
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let further = hasAdditionalSink ? [Bench.further: additionalSink] : [:]
        return RunningWorker(
            Worker(
                job.topology.alsoWriting(to: further.keys.sorted { $0.text < $1.text }), settings: settings, source: source ?? self.source,
                store: wrapped(store), sink: sink, additionalSinks: further, checkpoints: checkpoints, logger: logger
            ))
    }

    /// Reads everything that is there, closes all windows and delivers.
    func runToEnd() throws { #expect(try start(untilEnd: true).wait() == .complete) }

    /// Every row of the reference once, each with a name of its own.
    func expectRows(_ values: [[String]], sourceLocation: SourceLocation = #_sourceLocation) {
        let differences = SimulationChecks.differences(sink.rows, PurchaseReference.rows(of: job, values))
        #expect(differences.prefix(20) == [], sourceLocation: sourceLocation)
    }

    /// Purchases in order of time, `perSecond` of them a second; one in ten customers of the partition buys.
    static func purchases(_ partition: Int, seconds: Range<Int>, perSecond: Int = 5) -> [String] {
        seconds.flatMap { second in
            (0..<perSecond).map { index in
                "c\(partition)-\((second * 7 + index) % 10) s\((second + index) % 4) \(second + index) \(1_700_000_000_000 + second * 1000 + index * 100)"
            }
        }
    }
}

/// A worker in a thread of its own, let go with its state directory when its run has ended.
final class RunningWorker: Sendable {
    private struct State {
        var worker: Worker?
        var status: WorkerStatus?
        var result: Result<RunOutcome, any Error>?
    }

    private let state: Mutex<State>

    init(_ worker: sending Worker) {
        state = Mutex(State(worker: worker))
        let thread = Thread { [self] in
            let result = Result { try running!.run() }
            state.withLock { state in
                state.status = state.worker!.status
                state.worker = nil
                state.result = result
            }
        }
        thread.start()
    }

    private var running: Worker? { state.withLock { $0.worker } }

    func drain() { running?.drain() }
    var status: WorkerStatus { state.withLock { $0.worker?.status ?? $0.status! } }

    /// Waits for the end of the run; throws what it threw.
    func wait() throws -> RunOutcome {
        try waitUntil("the worker ends") { running == nil }
        return try state.withLock { try $0.result!.get() }
    }

    /// The message of the failure that the run must end with.
    func waitForFailure() throws -> (kind: FailureKind, message: String) {
        do {
            let outcome = try wait()
            throw UnexpectedEnd(description: "the worker ended with \(outcome)")
        } catch let failure as any Failure {
            return (failure.kind, failure.description)
        }
    }
}

struct UnexpectedEnd: Error, CustomStringConvertible {
    let description: String
}

/// Passes everything on to a store, but fails for good at one commit: before it happens, or after.
///
/// `@unchecked Sendable`: only the worker's thread commits, and the rest is immutable.
final class FailingStore: StateStore, @unchecked Sendable {
    private let inner: SQLiteStateStore
    private let isDurable: Bool
    private var left: Int

    init(_ inner: SQLiteStateStore, commits: Int, isDurable: Bool) {
        self.inner = inner
        self.isDurable = isDurable
        left = commits
    }

    func open(_ topology: Topology) throws -> RestoredState { try inner.open(topology) }
    func register(partitions: [String: Int]) throws { try inner.register(partitions: partitions) }
    func restore(_ task: any StreamTask, memoryBudget: Int) throws { try inner.restore(task, memoryBudget: memoryBudget) }
    func maintain(for time: Duration) throws -> Housekeeping { try inner.maintain(for: time) }

    func commit(_ cut: EpochCut) throws {
        left -= 1
        guard left < 0 else { return try inner.commit(cut) }
        if isDurable { try inner.commit(cut) }
        throw MemorySinkError(.invalid, "the store failed on purpose")
    }

    func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) throws {
        try inner.read(task: task, table: table, key: key, body)
    }

    func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) throws {
        try inner.scan(task: task, table: table, prefix: prefix, body)
    }
}
