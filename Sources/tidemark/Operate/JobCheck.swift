import CommandLineParts
import Engine
import Foundation
import KafkaIO

/// Looks at a job's state, input and tables as a start would, changing nothing.
struct JobCheck {
    let parts: JobParts
    let report: CheckReport

    func run() {
        let topology = parts.topology
        let state = checkState(topology)
        checkInput(topology, state)
        checkTables(topology, state)
    }

    private enum FoundState {
        /// nil: there is none yet.
        case known(RestoredState?)
        /// Already a finding: positions and tables can't be judged without it.
        case unknown

        var restored: RestoredState? {
            switch self {
            case .known(let restored): restored
            case .unknown: nil
            }
        }
    }

    private func checkState(_ topology: Topology) -> FoundState {
        let directory = parts.configuration.state.directory
        guard FileManager.default.fileExists(atPath: directory + "/state.db") else {
            Console.writeResult("ok       state: none yet in \(directory); a run begins it")
            return .known(nil)
        }
        let found = report.attempt("state", { try parts.makeStore().inspect(topology) }) { restored in
            guard let restored else { return "empty" }
            let waiting = restored.outbox.reduce(0) { $0 + $1.undelivered.count }
            return "lineage \(restored.lineage), epoch \(restored.epoch), \(counted(waiting, "undelivered batch", "undelivered batches"))"
        }
        return found.map { .known($0) } ?? .unknown
    }

    /// How long each question to the brokers may take.
    private static let reachLimit = Duration.seconds(10)

    private func checkInput(_ topology: Topology, _ state: FoundState) {
        let restored = state.restored
        let reached = report.attempt("input") {
            let source = try parts.makeSource(untilEnd: true, reachLimit: JobCheck.reachLimit)
            try (source as? KafkaSource)?.reach()
            return source
        } ok: { _ in parts.inputName }
        guard let source = reached else { return report.skipped("topics and positions", "the input is a finding") }
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
        guard case .known = state else { return report.skipped("positions", "the state is a finding") }
        _ = report.attempt("positions", { try source.open(assignments) }) { "the log still has them" }
    }

    private func partitions(of topic: String, _ source: any RecordSource, _ restored: RestoredState?) throws -> Int {
        let count = try source.partitionCount(of: topic)
        if let known = restored?.partitions[topic], known != count {
            throw CheckFinding(
                description: "has \(counted(count, "partition", "partitions")), the state was built with \(known): go back to \(known), or start anew with an empty state directory and new tables"
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
        guard case .known(let restored) = state else { return report.skipped("tables", "the state is a finding") }
        for table in topology.tables {
            let last = restored?.outbox.first { $0.table == table.name }?.lastFrozen
            let known = SinkTable(table: table, lineage: restored?.lineage ?? .first, lastFrozen: last, isNewState: restored?.isNew ?? true)
            do {
                let partitioning = try sink.open([known])[table.name] ?? .none
                Console.writeResult("ok       table \(table.name): by \(partitioning.rawValue), fits the state")
            } catch let failure as any Failure where failure.kind == .missing && mayCreate {
                Console.writeResult("ok       table \(table.name): none yet; a run creates it")
            } catch {
                report.finding("table \(table.name)", plainText(of: error))
            }
        }
    }
}

private struct CheckFinding: Error, CustomStringConvertible {
    let description: String
}
