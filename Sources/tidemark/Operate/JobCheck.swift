import Engine
import Foundation

/// Looks at a job's state, input and tables as a start would, changing nothing.
struct JobCheck {
    let parts: JobParts
    let report: CheckReport

    func run() {
        let topology = parts.topology
        let state = checkState(topology)
        guard case .known(let restored) = state else {
            checkInput(topology, nil)
            return
        }
        checkInput(topology, restored)
        checkTables(topology, restored)
    }

    private enum FoundState {
        /// nil: there is none yet.
        case known(RestoredState?)
        /// Already a finding; the tables can't be judged without it.
        case unknown
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
            return "lineage \(restored.lineage), epoch \(restored.epoch), \(waiting) undelivered batches"
        }
        return found.map { .known($0) } ?? .unknown
    }

    private func checkInput(_ topology: Topology, _ restored: RestoredState?) {
        guard let source = report.attempt("input", { try parts.makeSource(untilEnd: true) }, ok: { _ in parts.inputName }) else { return }
        var assignments: [SourceAssignment] = []
        for stage in topology.stages {
            guard case .topic(let topic) = stage.input else { continue }
            guard let count = report.attempt("topic \(topic)", { try partitions(of: topic, source, restored) }, ok: { "\($0) partitions" }) else { continue }
            assignments += (0..<count).map { partition in
                let task = TaskID(stage: stage.name, partition: partition)
                return SourceAssignment(partition: TopicPartition(topic: topic, partition: partition), position: restored?.tasks[task]?.position)
            }
        }
        guard !assignments.isEmpty else { return }
        _ = report.attempt("positions", { try source.open(assignments) }) { "the log still has them" }
    }

    private func partitions(of topic: String, _ source: any RecordSource, _ restored: RestoredState?) throws -> Int {
        let count = try source.partitionCount(of: topic)
        if let known = restored?.partitions[topic], known != count {
            throw CheckFinding(
                description: "has \(count) partitions, the state was built with \(known): go back to \(known), or start anew with an empty state directory and new tables"
            )
        }
        return count
    }

    private func checkTables(_ topology: Topology, _ restored: RestoredState?) {
        var settings = parts.clickHouseSettings
        let mayCreate = settings.createTables
        settings.createTables = false
        let reached = report.attempt("ClickHouse") {
            let sink = try parts.makeSink(settings)
            _ = try sink.createStatements(topology.tables)  // asks the server what it is
            return sink
        } ok: { _ in "\(settings.url), database \(settings.database)" }
        guard let sink = reached else { return }
        for table in topology.tables {
            let last = restored?.outbox.first { $0.table == table.name }?.lastFrozen
            let known = SinkTable(table: table, lineage: restored?.lineage ?? .first, lastFrozen: last, isNewState: restored?.isNew ?? true)
            do {
                let partitioning = try sink.open([known])[table.name] ?? .none
                Console.writeResult("ok       table \(table.name): by \(partitioning.rawValue), fits the state")
            } catch let failure as any Failure where failure.kind == .missing && mayCreate {
                Console.writeResult("ok       table \(table.name): none yet; a run creates it")
            } catch {
                report.finding("table \(table.name)", "\(error)")
            }
        }
    }
}

private struct CheckFinding: Error, CustomStringConvertible {
    let description: String
}
