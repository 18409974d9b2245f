import Engine

/// Runs a job's stages over whole topics in this process: no source, no state file, no sink. What the tables get is
/// what a bounded run gives them; stages that are sent messages are not run.
public final class TopologyRun {
    private let topology: Topology
    private var epoch = Epoch(1)
    /// Everything that was written, in order.
    public private(set) var chunks: [OutboxChunk] = []
    /// What became of the records of each reference topic, in order.
    public private(set) var referenceOutcomes: [String: [ReferenceOutcome]] = [:]
    /// What each task counted.
    public private(set) var counters: [TaskID: TaskCounters] = [:]

    /// Records are handed over this many at a time, and an epoch is cut after each.
    public static let recordsPerEpoch = 700

    public init(_ topology: Topology) { self.topology = topology }

    /// Applies the reference topics, then reads the topic of each stage to its end and closes all windows. `values`: a topic's records by partition.
    public func run(timestamp: EventTime? = nil, values: (_ topic: String) throws -> [[[UInt8]]]) throws {
        let references = try readReferences(timestamp, values)
        for stage in topology.stages {
            guard case .topic(let topic) = stage.input else { continue }
            let partitions = try values(topic)
            let environment = TaskEnvironment(partitioning: [:], partitions: [:], cold: NothingEvicted(), references: references)
            let tasks = partitions.indices.map { stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: $0), environment: environment)) }
            for (task, partition) in zip(tasks, partitions) { try read(partition, timestamp, with: task) }
            if let end = tasks.compactMap(\.lastOpenWindowEnd).max() {
                for task in tasks { try task.raiseWatermark(to: end, firingTimers: false) }
            }
            for task in tasks {
                cut(task)
                counters[task.id] = task.counters
            }
        }
    }

    private func readReferences(_ timestamp: EventTime?, _ values: (_ topic: String) throws -> [[[UInt8]]]) throws -> [String: ReferenceTable] {
        var tables: [String: ReferenceTable] = [:]
        for reference in topology.references {
            let table = ReferenceTable(name: reference.name)
            let reader = reference.makeReader(table)
            for partition in try values(reference.topic) {
                withRecords(partition, timestamp: timestamp) { $0.forEach { referenceOutcomes[reference.name, default: []].append(reader.apply($0)) } }
            }
            tables[reference.name] = table
        }
        return tables
    }

    private func read(_ values: [[UInt8]], _ timestamp: EventTime?, with task: any StreamTask) throws {
        try task.resume(at: .distantPast, position: nil)
        for start in stride(from: 0, to: values.count, by: TopologyRun.recordsPerEpoch) {
            let part = values[start..<min(start + TopologyRun.recordsPerEpoch, values.count)]
            try withRecords(Array(part), firstOffset: Int64(start), timestamp: timestamp) { try task.process($0) }
            cut(task)
        }
    }

    private func cut(_ task: any StreamTask) {
        chunks += task.cut(epoch).rows
        epoch = epoch.next
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
