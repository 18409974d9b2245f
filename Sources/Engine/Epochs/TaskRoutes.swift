/// Which tasks belong together: by topic, by the stage that they send to, by table.
public struct TaskRoutes: Sendable {
    /// The tasks that read each topic, a group a stage and topic.
    public let topicGroups: [[TaskID]]
    /// The tasks of each stage that reads messages, a stage after those that send to it.
    public let messageGroups: [[TaskID]]
    /// For each stage that reads messages, the tasks that send to it.
    public let senders: [StageName: [TaskID]]
    /// All output tables' names.
    public let tables: [String]

    /// `partitions`: how many each topic has.
    public init(_ topology: Topology, partitions: [String: Int]) {
        var topicGroups: [[TaskID]] = []
        var messageGroups: [[TaskID]] = []
        var tasks: [StageName: [TaskID]] = [:]
        for stage in topology.stages {
            let count = switch stage.input {
            case .topic(let topic): partitions[topic] ?? 0
            case .messages(let count): count
            }
            let group = (0..<count).map { TaskID(stage: stage.name, partition: $0) }
            tasks[stage.name] = group
            switch stage.input {
            case .topic: topicGroups.append(group)
            case .messages: messageGroups.append(group)
            }
        }
        var senders: [StageName: [TaskID]] = [:]
        for stage in topology.stages {
            guard case .messages = stage.input else { continue }
            senders[stage.name] = topology.senders(to: stage.name).flatMap { tasks[$0.name] ?? [] }
        }
        self.topicGroups = topicGroups
        self.messageGroups = TaskRoutes.upstreamFirst(messageGroups, senders)
        self.senders = senders
        tables = topology.tables.map(\.name)
    }

    private static func upstreamFirst(_ groups: [[TaskID]], _ senders: [StageName: [TaskID]]) -> [[TaskID]] {
        var ordered: [[TaskID]] = []
        var left = groups.filter { !$0.isEmpty }
        while !left.isEmpty {
            let waiting = Set(left.map { $0[0].stage })
            // Stages that send to each other in a circle have no order; they stay as declared.
            let next = left.firstIndex { group in !(senders[group[0].stage] ?? []).contains { waiting.contains($0.stage) } } ?? 0
            ordered.append(left.remove(at: next))
        }
        return ordered
    }

    /// The least watermark of all tasks that send to each stage.
    func upstreamWatermarks(_ watermarks: [TaskID: EventTime]) -> [StageName: EventTime] {
        senders.mapValues { tasks in tasks.map { watermarks[$0] ?? .distantPast }.min() ?? .distantPast }
    }
}
