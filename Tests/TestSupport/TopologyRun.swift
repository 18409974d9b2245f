import Engine

/// Runs a job over whole topics in this process: no source, no state file, no sink. What the tables get is what a
/// bounded run gives them: reference topics are read to their ends first, then the streams; what stages send each other
/// is handed over after each cut, with the watermarks of that cut.
public final class TopologyRun {
    private let topology: Topology
    private var epoch = Epoch(1)
    private var references: [String: ReferenceTable] = [:]
    private var tasks: [StageName: [any StreamTask]] = [:]
    private var topicPartitions: [String: Int] = [:]
    private var watermarks: [TaskID: EventTime] = [:]
    /// Everything that was written, in order.
    public private(set) var chunks: [OutboxChunk] = []
    /// What became of the records of each reference topic, in order.
    public private(set) var referenceOutcomes: [String: [ReferenceOutcome]] = [:]
    /// What each task counted.
    public private(set) var counters: [TaskID: TaskCounters] = [:]

    /// Records are handed over this many at a time, and an epoch is cut after each.
    public static let recordsPerEpoch = 700

    public init(_ topology: Topology) { self.topology = topology }

    /// Reads all topics to their ends and closes all windows. `values`: a topic's records by partition.
    public func run(timestamp: EventTime? = nil, values: (_ topic: String) throws -> [[[UInt8]]]) throws {
        for reference in topology.references { try read(reference, timestamp, values(reference.topic)) }
        var inputs: [(task: any StreamTask, values: [[UInt8]])] = []
        var partitions: [StageName: Int] = [:]
        var parts: [StageName: [[[UInt8]]]] = [:]
        for stage in topology.stages {
            switch stage.input {
            case .topic(let topic):
                parts[stage.name] = try values(topic)
                topicPartitions[topic] = parts[stage.name]?.count
                partitions[stage.name] = parts[stage.name]?.count
            case .messages(let count): partitions[stage.name] = count
            }
        }
        let environment = TaskEnvironment(partitioning: [:], partitions: partitions, cold: NothingEvicted(), hashKey: .ofTests, references: references)
        for stage in topology.stages {
            let own = (0..<(partitions[stage.name] ?? 0)).map { stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: $0), environment: environment)) }
            for task in own { try task.resume(at: .distantPast, position: nil) }
            tasks[stage.name] = own
            inputs += zip(own, parts[stage.name] ?? []).map { ($0, $1) }
        }
        try readStreams(inputs, timestamp)
        try closeWindows()
    }

    private func read(_ reference: Reference, _ timestamp: EventTime?, _ partitions: [[[UInt8]]]) throws {
        let table = ReferenceTable(name: reference.name)
        let reader = reference.makeReader(table)
        for values in partitions {
            withRecords(values, timestamp: timestamp) { records in
                for record in records { referenceOutcomes[reference.name, default: []].append(reader.apply(record)) }
            }
        }
        references[reference.name] = table
    }

    /// All partitions side by side, as a worker reads them.
    private func readStreams(_ inputs: [(task: any StreamTask, values: [[UInt8]])], _ timestamp: EventTime?) throws {
        for start in stride(from: 0, to: inputs.map(\.values.count).max() ?? 0, by: TopologyRun.recordsPerEpoch) {
            for (task, values) in inputs where start < values.count {
                let part = values[start..<min(start + TopologyRun.recordsPerEpoch, values.count)]
                try withRecords(Array(part), firstOffset: Int64(start), timestamp: timestamp) { try task.process($0) }
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

/// Calls `body` with records of these values, in memory that lives as long as the call.
public func withRecords<Result>(
    _ values: [[UInt8]], firstOffset: Int64 = 0, timestamp: EventTime? = nil, _ body: (UnsafeBufferPointer<SourceRecord>) throws -> Result
) rethrows -> Result {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(values.reduce(0) { $0 + $1.count }, 1))
    defer { memory.deallocate() }
    var used = 0
    var records: [SourceRecord] = []
    for (index, value) in values.enumerated() {
        (memory + used).update(from: value, count: value.count)
        let view = ByteView(start: UnsafePointer(memory + used), count: value.count)
        records.append(SourceRecord(offset: firstOffset + Int64(index), timestamp: timestamp, key: .null, value: view))
        used += value.count
    }
    return try records.withUnsafeBufferPointer(body)
}
