import Engine
import Foundation
import Logging

/// Runs a topology: reads the source, keeps the state, feeds the sink. The parts, and then one `run()`.
///
/// `@unchecked Sendable`: what other threads use (`drain`, `status`, the events) goes through monitors.
public final class Worker: @unchecked Sendable {
    let topology: Topology
    let settings: WorkerSettings
    let source: any RecordSource
    let store: any StateStore
    let sink: any BatchSink
    /// One for each of the topology's further sinks.
    let furtherSinks: [SinkName: any BatchSink]
    let logger: Logger
    let referenceInput: ReferenceInput?
    let checkpoints: CheckpointSettings?
    /// The topology's reference tables by name; filled when the run starts.
    let referenceTables: [String: ReferenceTable]
    let inbox = Monitor(WorkerInbox())
    /// Set for good once the run is to end.
    let isStopping = Monitor(false)
    private let published = Monitor(WorkerStatus())

    /// `references`: needed when the topology declares some. `furtherSinks`: those that the topology also writes to.
    /// `checkpoints`: where they go; nil for none. With them the store must be a `CheckpointedStore`.
    public init(
        _ topology: Topology, settings: WorkerSettings, source: any RecordSource, store: any StateStore, sink: any BatchSink,
        furtherSinks: [SinkName: any BatchSink] = [:], references: ReferenceInput? = nil, checkpoints: CheckpointSettings? = nil,
        logger: Logger
    ) {
        self.topology = topology
        self.settings = settings
        self.source = source
        self.store = store
        self.sink = sink
        precondition(Set(furtherSinks.keys) == Set(topology.furtherSinks), "the sinks are not those of the topology")
        self.furtherSinks = furtherSinks
        self.logger = logger
        referenceInput = references
        self.checkpoints = checkpoints
        referenceTables = Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) })
    }

    /// Stop reading, make durable what was read, deliver it; `run` then returns. May be called from any thread.
    public func drain() {
        isStopping.update { $0 = true }
        inbox.update { $0.isDraining = true }
    }

    public var status: WorkerStatus { published.look { $0 } }

    func publish(_ change: (inout WorkerStatus) -> Void) { published.update { change(&$0) } }

    /// Runs until the end of a bounded run, until drained, or until something is wrong that only a person can mend.
    public func run() throws -> RunOutcome {
        let plan = try WorkerPlan(self)
        guard try plan.withdraw() else {
            publish { $0.phase = .finished }
            return try plan.endUnread(self)
        }
        let references = try References(self)
        if let references, try !timed(.references, references.load) {
            publish { $0.phase = .finished }
            return try plan.endUnread(self)
        }
        references?.follow()
        let outcome = try run(plan, references)
        tellDrain()
        return outcome
    }

    private func run(_ plan: WorkerPlan, _ references: References?) throws -> RunOutcome {
        var run: WorkerRun?
        defer {
            references?.stop()
            run?.isStopped()
        }
        let made = try timed(.topics) { try WorkerRun(self, plan, references: references?.lock) }
        run = made
        defer { made.stop() }
        return try made.loop()
    }
}

/// What other threads have to say to the coordinator since it last looked.
struct WorkerInbox {
    var reports: [ThreadReport] = []
    var deliveries: [SinkBatchID] = []
    var isFull = false
    var threadsAtEnd = 0
    var isDraining = false
    var error: (any Error)?
    /// Why nothing more can be read of some partitions.
    var readingError: (any Error)?
    var checkpoint: Result<PublishedCheckpoint, any Error>?

    var isEmpty: Bool {
        checkpoint == nil && reports.isEmpty && deliveries.isEmpty && !isFull && threadsAtEnd == 0 && !isDraining && error == nil && readingError == nil
    }

    mutating func take() -> WorkerInbox {
        defer { self = WorkerInbox() }
        return self
    }
}
