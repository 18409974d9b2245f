import Engine
import Foundation
import Logging
import SQLiteState

/// Runs a topology: reads the source, keeps the state, feeds the sink. The parts, and then one `run()`.
///
/// `@unchecked Sendable`: what other threads use (`drain`, `status`, the events) goes through monitors.
public final class Worker: @unchecked Sendable {
    let topology: Topology
    let settings: WorkerSettings
    let source: any RecordSource
    let store: any StateStore
    let sink: any BatchSink
    /// One for each of the topology's additional sinks.
    let additionalSinks: [SinkName: any BatchSink]
    let logger: Logger
    let referenceInput: ReferenceInput?
    let checkpoints: CheckpointSettings?
    /// The topology's reference tables by name; filled when the run starts.
    let referenceTables: [String: ReferenceTable]
    let inbox = Monitor(RunInbox())
    /// Set for good once the run is to end.
    let isStopping = Monitor(false)
    private let published = Monitor(WorkerStatus())

    /// `references`: needed when the topology declares some. `additionalSinks`: those that the topology also writes to.
    public convenience init(
        _ topology: Topology, settings: WorkerSettings, source: any RecordSource, store: SQLiteStateStore, sink: any BatchSink,
        additionalSinks: [SinkName: any BatchSink] = [:], references: ReferenceInput? = nil, logger: Logger
    ) {
        self.init(
            topology, settings: settings, source: source, store: store as any StateStore, sink: sink, additionalSinks: additionalSinks,
            references: references, checkpoints: nil, logger: logger)
    }

    /// `checkpoints`: where they go; nil for none. With them the store must be a `CheckpointedStore`.
    package init(
        _ topology: Topology, settings: WorkerSettings, source: any RecordSource, store: any StateStore, sink: any BatchSink,
        additionalSinks: [SinkName: any BatchSink] = [:], references: ReferenceInput? = nil, checkpoints: CheckpointSettings? = nil,
        logger: Logger
    ) {
        self.topology = topology
        self.settings = settings
        self.source = source
        self.store = store
        self.sink = sink
        precondition(Set(additionalSinks.keys) == Set(topology.additionalSinks), "the sinks are not those of the topology")
        self.additionalSinks = additionalSinks
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
        var settings = settings.run
        if settings.threads == 0 { settings.threads = ProcessInfo.processInfo.activeProcessorCount }
        settings.recordLimit = source.limit(of: settings.recordLimit)
        let surroundings = WorkerSurroundings(self)
        switch try Startup(topology, settings, checkpoints: checkpoints?.rules, in: surroundings).run() {
        case .stopped(let outcome):
            publish { $0.phase = .finished }
            return outcome
        case .begun(let start):
            let outcome = try run(from: start, surroundings)
            tellDrain()
            return outcome
        }
    }

    private func run(from start: RunStart, _ surroundings: WorkerSurroundings) throws -> RunOutcome {
        surroundings.references?.follow()
        var run: WorkerRun?
        defer {
            surroundings.references?.stop()
            run?.isStopped()
        }
        let made = try WorkerRun(self, start, surroundings)
        run = made
        defer { made.stop() }
        return try made.run()
    }
}
