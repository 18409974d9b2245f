import Engine

/// What a simulated worker builds before it starts: tasks restored from the store, spread over threads.
struct SimulatedPlan {
    private let parts: SimulationParts
    private let members: [any StreamTask]
    private let readers: [TopicPartition: (reader: any StreamTask, next: Int64)]

    init(_ parts: SimulationParts, _ topology: Topology, _ store: any StateStore, _ restored: RestoredState) throws {
        self.parts = parts
        let counts = parts.plan.log.partitionCounts
        if restored.partitions.isEmpty { try store.register(partitions: counts) }
        var stageCounts: [StageName: Int] = [:]
        for stage in topology.stages {
            stageCounts[stage.name] = switch stage.input {
            case .topic(let topic): counts[topic] ?? 0
            case .messages(let count): count
            }
        }
        let environment = TaskEnvironment(partitioning: parts.plan.partitioning, partitions: stageCounts, cold: store, hashKey: restored.hashKey)
        var members: [any StreamTask] = []
        var readers: [TopicPartition: (reader: any StreamTask, next: Int64)] = [:]
        for stage in topology.stages {
            for partition in 0..<(stageCounts[stage.name] ?? 0) {
                let member = stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: partition), environment: environment))
                try store.restore(member, memoryBudget: .max)
                let known = restored.tasks[member.id]
                try member.resume(at: known?.watermark ?? .distantPast, position: known?.position)
                members.append(member)
                if case .topic(let topic) = stage.input {
                    if known?.position == nil { member.begin(at: 0) }
                    readers[TopicPartition(topic: topic, partition: partition)] = (member, known?.position?.next ?? 0)
                }
            }
        }
        self.members = members
        self.readers = readers
    }

    func threads(isBounded: Bool, random: inout SeededRandom) -> [SimulatedThread] {
        let now = parts.time.now
        let stopAt = isBounded ? Dictionary(uniqueKeysWithValues: readers.keys.map { ($0, parts.plan.log.end(of: $0, now: now)) }) : nil
        let count = min(parts.plan.threads, members.count)
        return (0..<count).map { number in
            let own = members.enumerated().filter { $0.offset % count == number }.map(\.element)
            let ids = Set(own.map(\.id))
            return SimulatedThread(
                members: own, readers: readers.filter { ids.contains($0.value.reader.id) }, log: parts.plan.log, stopAt: stopAt,
                epochRecords: parts.plan.epochRecords, idleAfter: parts.plan.idleAfter, time: parts.time, random: random.fork()
            )
        }
    }
}
