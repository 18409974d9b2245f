import Admin
import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import KafkaIO
import SQLiteState
import SchemaRegistry
import Worker

/// Looks at a job as a start would, and tries what a run has to be able to do, leaving nothing behind: what it finds is what a run would be
/// refused for, or would wait for before it reads. What a running worker has is not touched: the newest checkpoint stands for its state.
struct JobCheck {
    let parts: JobParts
    let report: CheckReport
    /// What the start would be told.
    var takesOver = false
    var endsBeforeRepartition = false

    /// How long each question to the brokers may take.
    static let reachLimit = Duration.seconds(10)

    /// The tables of the job's first sink, as the state knows them.
    @discardableResult
    func run() throws -> [SinkTable] {
        PermissionCheck(configuration: parts.configuration, report: report).run()
        let checkpoints = checkCheckpoints()
        checkStateDirectory()
        let (state, topology) = checkState(checkpoints)
        let hasSchemas = checkRegistry()
        let start = CheckedStart(parts, report, topology, state, checkpoints, reach())
        var settings = parts.workerSettings(untilEnd: false).run
        settings.endsBeforeRepartition = endsBeforeRepartition
        _ = try Startup(topology, settings, checkpoints: checkpoints.map { _ in parts.checkpointRules }, in: start).run()
        if topology.additionalSinks.isEmpty { report.ok("Kafka output", "off") }
        if hasSchemas {
            InputCheck(parts: parts, report: report).run(topology.topics.filter(start.topics.contains), state)
        } else {
            report.skipped("newest records", "they can't be read without the schema registry")
        }
        checkClock(state)
        checkPage(state)
        return start.tables
    }

    /// nil when checkpoints are off.
    private func checkCheckpoints() -> Result<CheckpointStore, any Error>? {
        do {
            guard let store = try parts.makeCheckpointStore() else {
                report.ok("checkpoints", "off")
                return nil
            }
            report.ok("checkpoints", try tried(store))
            return .success(store)
        } catch let error as any Failure where error.kind == .retry {
            // Whether a start goes on without depends on the state.
            report.skipped("checkpoints", "the store does not answer: \(plainText(of: error))")
            return .failure(error)
        } catch {
            report.finding("checkpoints", plainText(of: error))
            return .failure(CheckFinding(description: "the checkpoint store is a finding"))
        }
    }

    /// What the store has; throws also when it can't hold any.
    private func tried(_ store: CheckpointStore) throws -> String {
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
        case .known, .restorable, .finding:
            _ = report.attempt("status page", { try StatusServer.requireFree(host: address.host, port: address.port) }) { text }
        }
    }

    private var stateFile: String { parts.configuration.state.directory + "/state.db" }

    /// The state that a start would go on from, and the job over it.
    private func checkState(_ checkpoints: Result<CheckpointStore, any Error>?) -> (FoundState, Topology) {
        do {
            guard FileManager.default.fileExists(atPath: stateFile) else {
                return try checkRestoration(parts.configuration.state.restore == .never ? nil : checkpoints)
            }
            let directory = try StateDirectory(path: parts.configuration.state.directory)
            if let store = try? checkpoints?.get() {
                let restored = RestoredDirectory(
                    parts.configuration, store, takesOver: takesOver, logger: parts.logger,
                    filling: (directory, RoomWait(logger: parts.logger) { _ in false }))
                if try restored.isDue() { return try checkRestoration(checkpoints) }
            }
            let store = try parts.makeStore(directory)
            let topology = parts.topology(over: try store.fixedSettings())
            guard let found = try store.inspect(topology) else {
                report.ok("state", "empty")
                return (.none, topology)
            }
            report.ok("state", describe(found.restored))
            return (judge(found) { .known($0) }, topology)
        } catch let error as StateError where error.kind == .locked {
            return checkRunningState()
        } catch {
            report.finding("state", plainText(of: error))
            return (.finding, parts.topology)
        }
    }

    /// What a start begins with that finds no state.
    private func checkRestoration(_ checkpoints: Result<CheckpointStore, any Error>?) throws -> (FoundState, Topology) {
        let directory = parts.configuration.state.directory
        guard let store = try checkpoints?.get() else {
            report.ok("state", "none yet in \(directory); a run begins it")
            return (.none, parts.topology)
        }
        let restored = RestoredDirectory(parts.configuration, store, takesOver: takesOver, logger: parts.logger)
        guard let checkpoint = try restored.choice(), let chosen = restored.chosen else {
            report.ok("state", "none yet in \(directory); a run begins it")
            return (.none, parts.topology)
        }
        let (found, topology) = try StandInState.inspect(chosen, in: store, parts)
        report.ok(
            "state",
            "none in \(directory); a run restores checkpoint \(checkpoint.number)\(checkpoint.lineage == nil ? "" : ", and rolls back what was delivered after it"): \(describe(found.restored))"
        )
        return (judge(found) { .restorable($0) }, topology)
    }

    /// The state that a worker has, and this process may not open.
    private func checkRunningState() -> (FoundState, Topology) {
        let inUse = "a worker has it"
        do {
            guard let standIn = try StandInState(parts) else {
                report.skipped("state", "\(inUse), and no checkpoint of that worker's stands for it")
                return (.running, parts.topology)
            }
            report.ok(
                "state",
                "in use by a worker; checkpoint \(standIn.manifest.number), \(standIn.age) old, stands for it: \(describe(standIn.state.restored))"
            )
            for found in standIn.waiting {
                report.ok("what waits\(found.name.isEmpty ? "" : ", \(found.name)")", "\(found.action.rawValue), \(found.detail)")
            }
            return (judge(standIn.state) { .standIn($0) }, standIn.topology)
        } catch let error as any Failure where error.kind == .retry {
            report.skipped("state", "\(inUse), and the checkpoint store, whose newest would stand for it, does not answer")
            return (.running, parts.topology)
        } catch {
            report.finding(
                "state",
                "in use by a worker, and the newest checkpoint, which is to stand for it, can't be looked at: \(plainText(of: error))")
            return (.finding, parts.topology)
        }
    }

    /// Tells what a start would do with the state; it is a finding when that is nothing.
    private func judge(_ found: SQLiteStateStore.InspectedState, as known: (RestoredState) -> FoundState) -> FoundState {
        tellSkipped(found.restored)
        if let migration = found.migration { report(migration, parts.configuration.state.directory) }
        return report(found.compatibility) ? known(found.restored) : .finding
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
        } catch {
            report.finding("schema registry", plainText(of: error))
        }
        return false
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
}
