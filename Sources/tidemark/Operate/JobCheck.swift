import Admin
import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import KafkaIO
import SQLiteState
import SchemaRegistry

/// Looks at a job's state, input and tables as a start would, and tries what a run has to be able to do, leaving nothing behind. What a
/// running worker has is not touched: the newest checkpoint stands for its state.
struct JobCheck {
    let parts: JobParts
    let report: CheckReport
    /// What the start would be told.
    var takesOver = false
    var endsBeforeRepartition = false
    /// A start follows: what it would go on without is told, and is no finding.
    var isBeforeStart = false

    /// What was found of the state.
    @discardableResult
    func run() -> FoundState {
        let topology = parts.topology
        PermissionCheck(configuration: parts.configuration, report: report).run()
        checkCheckpoints()
        checkStateDirectory()
        let state = checkState()
        let hasSchemas = checkRegistry()
        if let source = reach() {
            let found = checkStreams(topology, state, source).union(checkReferences(topology, state))
            if hasSchemas {
                InputCheck(parts: parts, report: report, isBeforeStart: isBeforeStart).run(topology.topics.filter(found.contains), state)
            } else {
                report.skipped("newest records", "they can't be read without the schema registry")
            }
        } else {
            report.skipped("topics and positions", "the input is a finding")
        }
        TableCheck(parts: parts, report: report).run(topology, state)
        checkKafkaOutput(topology, state)
        checkClock(state)
        checkPage(state)
        return state
    }

    private func checkStateDirectory() {
        let directory = parts.configuration.state.directory
        _ = report.attempt("state directory", { try PathCheck.requireWritable(directory: directory, setting: "state.directory") }) {
            "\(directory) can be written"
        }
    }

    /// A worker that has the state has the page's address, too.
    private func checkPage(_ state: FoundState) {
        let http = parts.configuration.http
        guard let address = http.bind else { return report.ok("status page", "off") }
        let text = "\(address): \(http.audience ?? "")"
        switch state {
        case .standIn, .running: report.ok("status page", text)
        case .known, .unrestored, .unknown:
            _ = report.attempt("status page", { try StatusServer.requireFree(host: address.host, port: address.port) }) { text }
        }
    }

    private func checkCheckpoints() {
        do {
            report.ok("checkpoints", try triedCheckpoints())
        } catch {
            if startGoesOn(without: error) {
                report.skipped(
                    "checkpoints", "the store does not answer, which a start with this state goes on without: \(plainText(of: error))")
            } else {
                report.finding("checkpoints", plainText(of: error))
            }
        }
    }

    /// What the store has; throws also when it can't hold any.
    private func triedCheckpoints() throws -> String {
        guard let store = try parts.makeCheckpointStore() else { return "off" }
        let newest = try store.newest()
        if let location = parts.configuration.checkpoints.store.location, newest == nil, !location.begins(with: "s3://") {
            // The store's own trial would leave the folders of a job that is not begun.
            try PathCheck.requireWritable(directory: location, setting: "checkpoints.store")
        } else {
            try store.probe()
        }
        guard let newest else { return "none yet in \(store.location)" }
        return
            "the newest in \(store.location) is \(newest.number), of epoch \(newest.epoch) in lineage \(newest.lineage), \(EventTime(milliseconds: newest.createdAt).text)"
    }

    /// True when the checkpoint store may be away: with local durability a worker catches up with it.
    private func startGoesOn(without error: any Error) -> Bool {
        guard isBeforeStart, let failure = error as? any Failure, failure.kind == .retry else { return false }
        return parts.configuration.state.durability == .local && FileManager.default.fileExists(atPath: stateFile)
    }

    private var stateFile: String { parts.configuration.state.directory + "/state.db" }

    /// What a start begins with that finds no state.
    private func checkRestoration(_ directory: String) -> FoundState {
        let found = report.attempt("state") {
            let store = try parts.makeCheckpointStore()
            guard let store else { return nil as RestorableCheckpoint? }
            let restored = RestoredDirectory(parts.configuration, store, takesOver: takesOver, logger: parts.logger)
            let choice = try restored.choice()
            if let manifest = restored.chosen?.manifest { try StandInState.requireFit(manifest, in: store, parts) }
            return choice
        } ok: { checkpoint in
            guard let checkpoint else { return "none yet in \(directory); a run begins it" }
            return
                "none in \(directory); a run restores checkpoint \(checkpoint.number)\(checkpoint.lineage == nil ? "" : ", and withdraws what was delivered after it")"
        }
        guard let found else { return .finding }
        return found.map { FoundState.unrestored(withdraws: $0.lineage != nil) } ?? .known(nil)
    }

    private func checkState() -> FoundState {
        let directory = parts.configuration.state.directory
        guard FileManager.default.fileExists(atPath: stateFile) else {
            return checkRestoration(directory)
        }
        do {
            let store = try parts.makeStore()
            guard let found = try store.inspect(parts.topology(over: store.fixedSettings())) else {
                report.ok("state", "empty")
                return .known(nil)
            }
            report.ok("state", describe(found.restored))
            tellSkipped(found.restored)
            if let migration = found.migration { report(migration, directory) }
            return report(found.compatibility) ? .known(found.restored) : .finding
        } catch let error as StateError where error.kind == .locked {
            return checkRunningState()
        } catch {
            report.finding("state", plainText(of: error))
            return .finding
        }
    }

    /// The state that a worker has, and this process may not open.
    private func checkRunningState() -> FoundState {
        let inUse = "a worker has it"
        do {
            guard let standIn = try StandInState(parts) else {
                report.skipped("state", "\(inUse), and no checkpoint of that worker's stands for it")
                return .running
            }
            report.ok(
                "state",
                "in use by a worker; checkpoint \(standIn.manifest.number), \(standIn.age) old, stands for it: \(describe(standIn.state.restored))"
            )
            tellSkipped(standIn.state.restored)
            for found in standIn.waiting {
                report.ok("what waits\(found.name.isEmpty ? "" : ", \(found.name)")", "\(found.action.rawValue), \(found.detail)")
            }
            if let migration = standIn.state.migration { report(migration, parts.configuration.state.directory) }
            return report(standIn.state.compatibility) ? .standIn(standIn.state.restored) : .finding
        } catch  where startGoesOn(without: error) {
            report.skipped("state", "\(inUse), and the checkpoint store, whose newest would stand for it, does not answer")
            return .running
        } catch {
            report.finding(
                "state",
                "in use by a worker, and the newest checkpoint, which is to stand for it, can't be looked at: \(plainText(of: error))")
            return .finding
        }
    }

    private func describe(_ restored: RestoredState) -> String {
        let waiting = restored.outbox.reduce(0) { $0 + $1.undelivered.count }
        return "lineage \(restored.lineage), epoch \(restored.epoch), \(counted(waiting, "undelivered batch", "undelivered batches"))"
    }

    private func tellSkipped(_ restored: RestoredState) {
        for skipped in restored.skipped {
            let offsets = skipped.first == skipped.last ? "offset \(skipped.first)" : "offsets \(skipped.first) to \(skipped.last)"
            report.ok("skipped of \(skipped.partition)", "\(offsets), on \(skipped.at.text): \(skipped.reason)")
        }
    }

    /// How long a start would take to migrate, and whether there is room for it.
    private func report(_ migration: MigrationEstimate, _ directory: String) {
        let free = DiskRoom().free(in: directory)
        guard let free, free < migration.room else { return report.ok("migration", migration.text(free: free)) }
        report.finding("migration", "\(migration.text(free: free)): make room there, or a start waits for it")
    }

    /// What a start would do with the state tables; false when it would be refused.
    private func report(_ compatibility: StateCompatibility) -> Bool {
        if let refusal = compatibility.refusal { report.finding("state versions", refusal) }
        for table in compatibility.tables {
            let what = "state table \(table.stage)/\(table.name)"
            guard table.action != .refuse else {
                report.finding(what, table.detail)
                continue
            }
            report.ok(what, "\(table.action.rawValue), \(table.detail)")
        }
        if compatibility.isFinalizePending {
            report.ok("finalize", "pending, version \(compatibility.leastReader) of the job can still go on; `tidemark finalize` ends that")
        }
        return compatibility.refusals.isEmpty
    }

    /// How long each question to the brokers may take.
    static let reachLimit = Duration.seconds(10)

    private func reach() -> (any RecordSource)? {
        report.attempt("input") {
            let source = try parts.makeSource(untilEnd: true, reachLimit: JobCheck.reachLimit)
            try source.reach()
            return source
        } ok: { _ in
            parts.inputName
        }
    }

    /// False when records can't be read for want of it.
    private func checkRegistry() -> Bool {
        guard let registry = parts.configuration.input.registry, let schemas = parts.schemas else { return true }
        do {
            try schemas.probe()
            report.ok("schema registry", registry.url)
            return true
        } catch let error as RegistryError where isBeforeStart && error.kind == .retry {
            report.skipped(
                "schema registry", "it does not answer, which a start goes on without until records need it: \(plainText(of: error))")
        } catch {
            report.finding("schema registry", plainText(of: error))
        }
        return false
    }

    /// The topics that are there.
    private func checkReferences(_ topology: Topology, _ state: FoundState) -> Set<String> {
        let check = ReferenceCheck(parts: parts, report: report)
        let partitions = check.topics(topology.references)
        switch state {
        case .known: check.file(topology.references, partitions)
        case .standIn, .running: report.skipped("references.db", "a worker has it; what does not fit in it is read anew")
        case .unrestored: report.skipped("references.db", FoundState.unrestoredReason)
        case .unknown(let reason): report.skipped("references.db", reason)
        }
        return Set(partitions.keys)
    }

    /// The topics that are there.
    private func checkStreams(_ topology: Topology, _ state: FoundState, _ source: any RecordSource) -> Set<String> {
        let restored = state.restored
        var found: Set<String> = []
        var assignments: [SourceAssignment] = []
        for stage in topology.stages {
            guard case .topic(let topic) = stage.input else { continue }
            let looked = report.attempt("topic \(topic)") {
                try requireKnownPartitions(of: topic, source, restored)
                return try TopicCheck(parts: parts).look(at: topic)
            } ok: {
                $0.text
            }
            guard let looked else { continue }
            found.insert(topic)
            assignments += (0..<looked.partitions).map { partition in
                let task = TaskID(stage: stage.name, partition: partition)
                return SourceAssignment(
                    partition: TopicPartition(topic: topic, partition: partition), position: restored?.tasks[task]?.position)
            }
        }
        guard !assignments.isEmpty else {
            report.skipped("positions", "no topic can be read")
            return found
        }
        switch state {
        case .known: _ = report.attempt("positions", { try source.open(assignments) }) { _ in "the log still has them" }
        case .standIn: checkPositionsOfCheckpoint(assignments, source)
        case .running: report.skipped("positions", "a worker has the state")
        case .unrestored: report.skipped("positions", FoundState.unrestoredReason)
        case .unknown(let reason): report.skipped("positions", reason)
        }
        return found
    }

    /// The worker has read on since: what the log has forgotten by now it need not have.
    private func checkPositionsOfCheckpoint(_ assignments: [SourceAssignment], _ source: any RecordSource) {
        _ = report.attempt("positions") {
            let first = try TopicCheck(parts: parts).makeSource()
                .open(assignments.map { SourceAssignment(partition: $0.partition, position: nil) })
            let held = assignments.filter { assignment in assignment.position.map { $0.next >= first[assignment.partition] ?? 0 } ?? true }
            try source.open(held)
            return assignments.count - held.count
        } ok: { forgotten in
            "the log still has those of the checkpoint"
                + (forgotten == 0
                    ? ""
                    : ", but of \(counted(forgotten, "partition", "partitions")), where it begins after them, so that only the worker knows whether it has read so far")
        }
    }

    /// As the start itself judges it.
    private func requireKnownPartitions(of topic: String, _ source: any RecordSource, _ restored: RestoredState?) throws {
        _ = try PartitionCount(
            of: topic, isTopic: true, found: try source.partitionCount(of: topic), known: restored?.partitions[topic],
            endsBeforeRepartition: endsBeforeRepartition
        )
    }

    /// Whether a start would hold reading back because of this machine's clock.
    private func checkClock(_ state: FoundState) {
        guard let maxAhead = parts.configuration.time.maxAhead else { return report.ok("clock", "not asked, because time.maxAhead is off") }
        _ = report.attempt("clock") {
            let sink = try parts.makeSink()
            sink.askServerTime()
            let now = EventTime(milliseconds: WallTime.now.milliseconds)
            let standing = ClockStanding(maxAhead: maxAhead, lastRead: state.restored?.lastReadAt)
            if let doubt = standing.doubt(now: now, server: sink.serverTime) { throw CheckFinding(description: doubt.description) }
            return sink.serverTime != nil
        } ok: { isServerKnown in
            isServerKnown ? "not behind ClickHouse's" : "ClickHouse's is not known"
        }
    }

    private func checkKafkaOutput(_ topology: Topology, _ state: FoundState) {
        let made = report.attempt("Kafka output", { try parts.makeKafkaOutput(reachLimit: JobCheck.reachLimit) }) {
            $0 == nil ? "off" : "on"
        }
        guard let output = made.flatMap({ $0 }) else { return }
        for table in state.outboxTables(of: topology) where table.sink == KafkaOutput.name {
            let what = "output topic \(output.topic(of: table.table))"
            let none = "none yet; a run asks the brokers for it"
            switch state {
            case .known:
                _ = report.attempt(what, { try output.inspect(state.sinkTable(table)) }) { found in
                    guard let partitions = found.partitions else { return none }
                    let last = found.lastBatch.map { "the last batch there is \($0)" } ?? "no batch there yet"
                    return "\(counted(partitions, "partition", "partitions")), \(last), fits the state"
                }
            // The worker writes there, and is ahead of its checkpoint.
            case .standIn, .running, .unrestored, .unknown:
                _ = report.attempt(what, { try output.partitions(of: table.table) }) {
                    $0.map { counted($0, "partition", "partitions") } ?? none
                }
            }
        }
    }
}
