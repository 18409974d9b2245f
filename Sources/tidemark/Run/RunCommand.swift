import Admin
import ArgumentParser
import CheckpointStores
import CommandLineParts
import Configuration
import Engine
import Foundation
import KafkaIO
import Logging
import SQLiteState
import SchemaRegistry
import Synchronization
import Worker

/// `tidemark run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs the job until it is stopped, or to the end of its input.",
        discussion:
            "SIGTERM and SIGINT drain: reading stops, what was read is made durable and delivered. A second signal stops at once, as does the first before anything was read."
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var drops: DropOptions

    @Flag(
        name: .customLong("until-end"),
        help: "Read every partition to where it ended at the start, close all windows, deliver everything, and exit.")
    var untilEnd = false

    @Flag(
        name: .customLong("before-repartition"),
        help:
            "Read the partitions that the state knows to where they ended at the start, deliver that, leave windows open, write a checkpoint, and exit: before `checkpoint repartition`, when a topic has grown."
    )
    var beforeRepartition = false

    @Flag(
        name: .customLong("take-over"),
        help: "With an empty state directory: restore the newest checkpoint although its worker may still be running.")
    var takeOver = false

    @Flag(
        name: .customLong("wait"),
        help:
            "Look at everything that `check` looks at, then wait until the worker that has the state directory lets go of it, and go on from its state: the way to a new version."
    )
    var waitsForLock = false

    func validate() throws {
        if untilEnd && beforeRepartition {
            throw ValidationError("--until-end closes the windows that --before-repartition leaves open: expected one of them")
        }
    }

    func run() throws {
        let configuration = try options.load()
        let logger = LogOutput.start(configuration.log, redactor: configuration.redactor)
        let status: ExitStatus
        do {
            status = try run(configuration, logger)
        } catch {
            logger.critical("\(plainText(of: error))")
            status = ExitStatus(error)
        }
        throw ExitCode(status.rawValue)
    }

    private func run(_ configuration: JobConfiguration, _ logger: Logger) throws -> ExitStatus {
        let running = RunningWorker()
        StopSignals.watch { [isBefore = beforeRepartition] in
            // Until then nothing is read and nothing is under way, and what is asked of the servers may take its time.
            let worker = running.worker.withLock { $0 }
            if let worker, worker.status.phase != .starting { return worker.drain() }
            let waiting = worker?.status.waitingAtStart ?? 0
            let what = waiting == 0 ? "and what waited waits on" : "and \(waiting) bytes of rows and messages wait on"
            logger.notice("stopped while it was starting: nothing was read, \(what)")
            Scratch.removeAll()
            _exit((isBefore ? ExitStatus.error : waiting == 0 ? .done : .partial).rawValue)
        }
        let parts = JobParts(configuration: configuration, logger: logger, droppedTables: drops.tables)
        let sink = try parts.makeSink()
        if waitsForLock {
            let preflight = Preflight(parts: parts, takesOver: takeOver, endsBeforeRepartition: beforeRepartition)
            guard try preflight.passes(sink) else { return .differs }
        }
        let kafkaOutput = try parts.makeKafkaOutput()
        let source = try parts.makeSource(untilEnd: untilEnd)
        if let schemas = parts.schemas { try probe(schemas, logger) }
        let checkpoints = try parts.makeCheckpointStore()
        if let checkpoints { try probe(checkpoints, logger) }
        var start = StartTimes()
        // A stop signal ends the process while it waits.
        let room = RoomWait(logger: logger) {
            Thread.sleep(forTimeInterval: $0 / .seconds(1))
            return true
        }
        let directory = try start.timed(.wait) { try room("opening the state directory") { try lockedDirectory(configuration, logger) } }
        if let checkpoints {
            let restored = RestoredDirectory(configuration, checkpoints, takesOver: takeOver, logger: logger, filling: (directory, room))
            try start.timed(.restore) { try restored.run() }
        }
        let store = try start.timed(.open) { try room("opening the state file") { try parts.makeStore(directory) } }
        let topology = parts.topology(over: try store.fixedSettings())
        if StartLook.isDue(after: try store.inputLookedAtBy()), try StartLook(parts: parts, logger: logger).requireReadable() {
            store.noteInputLook()
        }
        if let migration = try store.migration(to: topology) {
            logger.notice("\(migration.text(free: DiskRoom().free(in: directory.path)))")
        }
        let references = try start.timed(.open) {
            try room("opening the copy of the reference topics") { try parts.makeReferences(untilEnd: untilEnd) }
        }
        var settings = parts.workerSettings(untilEnd: untilEnd)
        settings.run.endsBeforeRepartition = beforeRepartition
        let worker = Worker(
            topology, settings: settings, source: source, store: store, sink: sink,
            additionalSinks: kafkaOutput.map { [KafkaOutput.name: $0] } ?? [:], references: references,
            checkpoints: try checkpoints.map(parts.makeCheckpoints), logger: logger
        )
        worker.note(start)
        running.worker.withLock { $0 = worker }
        let publisher = StatusPublisher(
            worker, sinks: [sink] + (kafkaOutput.map { [$0] } ?? []), source: source, schemas: parts.schemas, topology: topology,
            stateBudget: configuration.state.memoryBudget)
        let page = try startPage(configuration.http, publisher, logger)
        defer { withExtendedLifetime(page) {} }
        let watch = RunWatch(
            worker, publisher: publisher, topology: topology, maxAhead: configuration.time.maxAhead, logger: logger)
        defer { watch.stop() }
        let progress = LoadingProgress(worker)
        defer { progress.stop() }
        let outcome = try worker.run()
        switch outcome {
        case .complete:
            logger.info(
                "everything is delivered; epoch \(worker.status.epoch), \(recordsRead(worker, topology)) records read\(rejected(worker))\(untilEnd ? timersLeft(worker) : "")"
            )
        case .undelivered(let bytes):
            logger.warning(
                "the drain took longer than drain.timeout: \(bytes) bytes of rows and messages stay in the outbox and leave with the next start. No last checkpoint was written: keep the state directory"
            )
        }
        return ExitStatus(outcome)
    }

    /// A store that lets two workers both win would be no store; one that is down is for the worker to judge.
    private func probe(_ store: CheckpointStore, _ logger: Logger) throws {
        do throws(CheckpointError) {
            try store.probe()
        } catch {
            guard error.kind == .retry else { throw error }
            logger.error("checkpoints: the store can't be tried out: \(error)")
        }
    }

    /// One that refuses the user is for a person; one that is away is waited for, once records need it.
    private func probe(_ schemas: RegisteredSchemas, _ logger: Logger) throws {
        do {
            try schemas.probe()
        } catch let error as RegistryError where error.kind == .retry {
            logger.error("the start goes on without the schema registry, and reading waits for it: \(error)")
        }
    }

    /// Of the streams, by this process.
    private func recordsRead(_ worker: Worker, _ topology: Topology) -> UInt64 {
        let readers = Set(topology.stages.filter { if case .topic = $0.input { true } else { false } }.map(\.name))
        return worker.status.tasks.filter { readers.contains($0.id.stage) }.reduce(0) { $0 + $1.counters.records }
    }

    /// Nothing when all was well.
    private func rejected(_ worker: Worker) -> String {
        let rejected = worker.status.tasks.reduce(0) { $0 + $1.counters.rejected }
        let late = worker.status.tasks.reduce(0) { $0 + $1.counters.late }
        return rejected == 0 ? "" : ", \(rejected) rejected, \(late) of them late: rejected_records has each with its reason"
    }

    /// The end of a bounded run closes windows, and fires no timers: the time for them has not come.
    private func timersLeft(_ worker: Worker) -> String {
        guard let next = worker.status.tasks.compactMap(\.counters.earliestTimer).min() else { return "" }
        return "; timers stay set, the next for \(next.text) in event time: they fire when records, or another run, get there"
    }

    /// Between two looks at a lock that another process has.
    private static let lockPause = 0.02

    /// The state directory, locked; with `--wait` as soon as the worker before lets go of it.
    private func lockedDirectory(_ configuration: JobConfiguration, _ logger: Logger) throws -> StateDirectory {
        var isTold = false
        while true {
            do {
                return try StateDirectory(path: configuration.state.directory)
            } catch let error as StateError where error.kind == .locked && waitsForLock {
                if !isTold {
                    logger.notice(
                        "waiting for the worker that has the state directory \(configuration.state.directory): stop it with SIGTERM, and this one takes over"
                    )
                }
                isTold = true
                Thread.sleep(forTimeInterval: RunCommand.lockPause)
            }
        }
    }

    /// Serves the status page for as long as the value lives.
    private func startPage(_ section: HTTPSection, _ publisher: StatusPublisher, _ logger: Logger) throws -> StatusServer? {
        guard let address = section.bind else { return nil }
        let access = PageAccess(
            place: address.isLoopback ? .loopback : .network, bound: address.host, token: section.token?.revealed, isOpen: section.isOpen,
            hosts: section.hosts
        )
        let report: @Sendable (PageReport) -> Void = { logger.log(level: $0.isProblem ? .warning : .notice, "\($0.text)") }
        let server = try StatusServer(host: address.host, port: address.port, access: access, report: report) { publisher.snapshot }
        let audience = section.audience.map { ": \($0)" } ?? ""
        logger.log(
            level: address.isLoopback ? .info : .notice,
            "status page at http://\(HTTPSection.Address(host: address.host, port: server.port))/\(audience)")
        return server
    }
}

/// The worker that a stop signal is for, once there is one.
private final class RunningWorker: Sendable {
    let worker = Mutex<Worker?>(nil)
}
