import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import KafkaIO
import SQLiteState

/// Looks at a job's state, input and tables as a start would, changing nothing.
struct JobCheck {
    let parts: JobParts
    let report: CheckReport

    func run() {
        let topology = parts.topology
        checkCheckpoints()
        let state = checkState(topology)
        if let source = reach() {
            checkStreams(topology, state, source)
            checkReferences(topology, state)
        } else {
            report.skipped("topics and positions", "the input is a finding")
        }
        checkTables(topology, state)
        checkKafkaOutput(topology, state)
    }

    private enum FoundState {
        /// nil: there is none yet.
        case known(RestoredState?)
        /// Positions and tables can't be judged without it, for this reason.
        case unknown(String)

        static let finding = FoundState.unknown("the state is a finding")

        var restored: RestoredState? {
            switch self {
            case .known(let restored): restored
            case .unknown: nil
            }
        }
    }

    private func checkCheckpoints() {
        _ = report.attempt("checkpoints") {
            guard let store = try parts.makeCheckpointStore() else { return "off" }
            guard let newest = try store.newest() else { return "none yet in \(store.location)" }
            return "the newest in \(store.location) is \(newest.number), of epoch \(newest.epoch) in lineage \(newest.lineage), \(EventTime(milliseconds: newest.createdAt).text)"
        } ok: { $0 }
    }

    /// What a start begins with that finds no state.
    private func checkRestoration(_ directory: String) -> FoundState {
        let found = report.attempt("state") {
            let store = try parts.makeCheckpointStore()
            return try store.flatMap { try StateRestoration(configuration: parts.configuration, store: $0, takesOver: false, logger: parts.logger).choice() }
        } ok: { restoration in
            guard let restoration else { return "none yet in \(directory); a run begins it" }
            return "none in \(directory); a run restores checkpoint \(restoration.manifest.number)\(restoration.lineage == nil ? "" : ", and withdraws what was delivered after it")"
        }
        guard let found else { return .finding }
        return found == nil ? .known(nil) : .unknown("the state is to be restored first")
    }

    private func checkState(_ topology: Topology) -> FoundState {
        let directory = parts.configuration.state.directory
        guard FileManager.default.fileExists(atPath: directory + "/state.db") else {
            return checkRestoration(directory)
        }
        let found = report.attempt("state", { try parts.makeStore().inspect(topology) }) {
            guard let restored = $0?.restored else { return "empty" }
            let waiting = restored.outbox.reduce(0) { $0 + $1.undelivered.count }
            return "lineage \(restored.lineage), epoch \(restored.epoch), \(counted(waiting, "undelivered batch", "undelivered batches"))"
        }
        guard let found else { return .finding }
        guard let found else { return .known(nil) }
        if let migration = found.migration { report(migration, directory) }
        return report(found.compatibility) ? .known(found.restored) : .finding
    }

    /// How long a start would take to migrate, and whether there is room for it.
    private func report(_ migration: MigrationEstimate, _ directory: String) {
        let free = DiskRoom().free(in: directory)
        guard let free, free < migration.room else { return Console.writeResult("ok       migration: \(migration.text(free: free))") }
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
            Console.writeResult("ok       \(what): \(table.action.rawValue), \(table.detail)")
        }
        if compatibility.isFinalizePending {
            Console.writeResult("ok       finalize: pending, version \(compatibility.leastReader) of the job can still go on; `tidemark finalize` ends that")
        }
        return compatibility.refusals.isEmpty
    }

    /// How long each question to the brokers may take.
    static let reachLimit = Duration.seconds(10)

    private func reach() -> (any RecordSource)? {
        report.attempt("input") {
            let source = try parts.makeSource(untilEnd: true, reachLimit: JobCheck.reachLimit)
            try (source as? KafkaSource)?.reach()
            return source
        } ok: { _ in parts.inputName }
    }

    private func checkReferences(_ topology: Topology, _ state: FoundState) {
        let check = ReferenceCheck(parts: parts, report: report)
        let partitions = check.topics(topology.references)
        if case .unknown(let reason) = state { return report.skipped("references.db", reason) }
        check.file(topology.references, partitions)
    }

    private func checkStreams(_ topology: Topology, _ state: FoundState, _ source: any RecordSource) {
        let restored = state.restored
        var assignments: [SourceAssignment] = []
        for stage in topology.stages {
            guard case .topic(let topic) = stage.input else { continue }
            guard let count = report.attempt("topic \(topic)", { try partitions(of: topic, source, restored) }, ok: { counted($0, "partition", "partitions") }) else { continue }
            assignments += (0..<count).map { partition in
                let task = TaskID(stage: stage.name, partition: partition)
                return SourceAssignment(partition: TopicPartition(topic: topic, partition: partition), position: restored?.tasks[task]?.position)
            }
        }
        guard !assignments.isEmpty else { return report.skipped("positions", "no topic can be read") }
        if case .unknown(let reason) = state { return report.skipped("positions", reason) }
        _ = report.attempt("positions", { try source.open(assignments) }) { "the log still has them" }
    }

    private func partitions(of topic: String, _ source: any RecordSource, _ restored: RestoredState?) throws -> Int {
        let count = try source.partitionCount(of: topic)
        if let known = restored?.partitions[topic], known != count {
            throw CheckFinding(
                description: "has \(counted(count, "partition", "partitions")), the state was built with \(known): \(known < count ? "bring the state to \(count) (docs/OPERATIONS.md, A topic that grew)" : "go back to \(known)"), or start anew with an empty state directory and new tables"
            )
        }
        return count
    }

    private func checkTables(_ topology: Topology, _ state: FoundState) {
        var settings = parts.clickHouseSettings
        let mayCreate = settings.createTables
        settings.createTables = false
        let reached = report.attempt("ClickHouse") {
            let sink = try parts.makeSink(settings)
            _ = try sink.createStatements(topology.tables)  // asks the server what it is
            return sink
        } ok: { _ in "\(settings.url), database \(settings.database)" }
        guard let sink = reached else { return report.skipped("tables", "ClickHouse is a finding") }
        if case .unknown(let reason) = state { return report.skipped("tables", reason) }
        let restored = state.restored
        for table in topology.tables {
            do {
                let partitioning = try sink.open([known(OutboxTable(table), restored)])[table.name] ?? .none
                Console.writeResult("ok       table \(table.name): by \(partitioning.rawValue), fits the state")
            } catch let failure as any Failure where failure.kind == .missing && mayCreate {
                Console.writeResult("ok       table \(table.name): none yet; a run creates it")
            } catch {
                report.finding("table \(table.name)", plainText(of: error))
            }
        }
        _ = report.attempt("views", { try sink.missingViews() }) { missing in
            missing.isEmpty ? counted(topology.views.count, "view", "views") : "\(missing.count) of \(topology.views.count) are not there; `tidemark tables`\(mayCreate ? " or a run" : "") creates them"
        }
    }

    /// A table as the state knows it; nothing is known of any where there is no state yet.
    private func known(_ table: OutboxTable, _ restored: RestoredState?) -> SinkTable {
        if let restored { return SinkTable(table, restored) }
        return SinkTable(table: table.table, outboxName: table.name, lineage: .first, lastFrozen: nil, isNewState: true)
    }

    private func checkKafkaOutput(_ topology: Topology, _ state: FoundState) {
        let made = report.attempt("Kafka output", { try parts.makeKafkaOutput(reachLimit: JobCheck.reachLimit) }) { $0 == nil ? "off" : "on" }
        guard let output = made.flatMap({ $0 }) else { return }
        if case .unknown(let reason) = state { return report.skipped("output topics", reason) }
        let restored = state.restored
        for table in topology.outboxTables where table.sink == KafkaOutput.name {
            _ = report.attempt("output topic \(output.topic(of: table.table))", { try output.inspect(known(table, restored)) }) { found in
                guard let partitions = found.partitions else { return "none yet; a run asks the brokers for it" }
                let last = found.lastBatch.map { "the last batch there is \($0)" } ?? "no batch there yet"
                return "\(counted(partitions, "partition", "partitions")), \(last), fits the state"
            }
        }
    }
}

/// Something that is no error of a part, but has to be seen to.
struct CheckFinding: Error, CustomStringConvertible {
    let description: String
}
