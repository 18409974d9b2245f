import Engine

/// Runs a job over whole topics in this process: no source, no state file, no sink. What the tables get is what a
/// bounded run gives them: reference topics are read to their ends first, then the streams; what stages send each other
/// is handed over after each cut, with the watermarks of that cut.
package final class TopologyRun {
    private let topology: Topology
    private var epoch = Epoch(1)
    private var references: [String: ReferenceTable] = [:]
    private var tasks: [StageName: [any StreamTask]] = [:]
    private var topicPartitions: [String: Int] = [:]
    private var watermarks: [TaskID: EventTime] = [:]
    /// Everything that was written, in order.
    package private(set) var chunks: [OutboxChunk] = []
    /// What became of the records of each reference topic, in order.
    package private(set) var referenceOutcomes: [String: [ReferenceOutcome]] = [:]
    /// What each task counted.
    package private(set) var counters: [TaskID: TaskCounters] = [:]

    /// Records are handed over this many at a time, and an epoch is cut after each.
    package static let recordsPerEpoch = 700

    package init(_ topology: Topology) { self.topology = topology }

    /// As `run(records:)`, of values alone.
    package func run(timestamp: EventTime? = nil, values: (_ topic: String) throws -> [[[UInt8]]]) throws {
        try run { topic in try values(topic).map { $0.map { TestRecord(value: $0, timestamp: timestamp) } } }
    }

    /// Reads all topics to their ends and closes all windows. `records`: a topic's records by partition.
    package func run(records: (_ topic: String) throws -> [[TestRecord]]) throws {
        for reference in topology.references { try read(reference, records(reference.topic)) }
        var inputs: [(task: any StreamTask, records: [TestRecord])] = []
        var partitions: [StageName: Int] = [:]
        var parts: [StageName: [[TestRecord]]] = [:]
        for stage in topology.stages {
            switch stage.input {
            case .topic(let topic):
                parts[stage.name] = try records(topic)
                topicPartitions[topic] = parts[stage.name]?.count
                partitions[stage.name] = parts[stage.name]?.count
            case .messages(let count): partitions[stage.name] = count
            }
        }
        let environment = TaskEnvironment(
            partitioning: [:], partitions: partitions, cold: NothingEvicted(), hashKey: .ofTests, references: references)
        for stage in topology.stages {
            let own = (0..<(partitions[stage.name] ?? 0)).map {
                stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: $0), environment: environment))
            }
            for task in own { try task.resume(at: .distantPast, position: nil) }
            tasks[stage.name] = own
            inputs += zip(own, parts[stage.name] ?? []).map { ($0, $1) }
        }
        try readStreams(inputs)
        try closeWindows()
    }

    private func read(_ reference: Reference, _ partitions: [[TestRecord]]) throws {
        let table = ReferenceTable(name: reference.name)
        let reader = reference.makeReader(table)
        for records in partitions {
            withRecords(records) { records in
                for record in records { referenceOutcomes[reference.name, default: []].append(reader.apply(record)) }
            }
        }
        references[reference.name] = table
    }

    /// All partitions side by side, as a worker reads them.
    private func readStreams(_ inputs: [(task: any StreamTask, records: [TestRecord])]) throws {
        for start in stride(from: 0, to: inputs.map(\.records.count).max() ?? 0, by: TopologyRun.recordsPerEpoch) {
            for (task, records) in inputs where start < records.count {
                let part = records[start..<min(start + TopologyRun.recordsPerEpoch, records.count)]
                try withRecords(Array(part), firstOffset: Int64(start)) { try task.process($0) }
            }
            try cut()
        }
    }

    /// Raises the tasks that read a topic to the end of the last window open in them or behind them, until none is.
    private func closeWindows() throws {
        let routes = TaskRoutes(topology, partitions: topicPartitions)
        while true {
            // Watermarks reach one stage further with each cut.
            for _ in topology.stages { try cut(firingTimers: false) }
            var isOpen = false
            for group in routes.topicGroups {
                guard let end = (group.tasks + group.behind).compactMap({ task($0)?.lastOpenWindowEnd }).max() else { continue }
                isOpen = true
                for id in group.tasks { try task(id)?.raiseWatermark(to: end, firingTimers: false) }
            }
            guard isOpen else { return }
        }
    }

    private func task(_ id: TaskID) -> (any StreamTask)? { tasks[id.stage]?[id.partition] }

    /// Cuts all tasks, then hands over what they sent.
    private func cut(firingTimers: Bool = true) throws {
        var sent: [MessageBatch] = []
        for task in topology.stages.flatMap({ tasks[$0.name] ?? [] }) {
            let cut = task.cut(epoch)
            chunks += cut.rows
            sent += cut.sent
            watermarks[task.id] = cut.watermark
            counters[task.id] = task.counters
        }
        epoch = epoch.next
        for batch in sent { try task(batch.id.to)?.process(batch) }
        for stage in topology.stages {
            let senders = topology.senders(to: stage.name).flatMap { tasks[$0.name] ?? [] }
            guard let reached = senders.map({ watermarks[$0.id] ?? .distantPast }).min() else { continue }
            for task in tasks[stage.name] ?? [] { try task.upstreamReached(reached, firingTimers: firingTimers) }
        }
    }
}
