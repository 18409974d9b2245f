/// Which tasks belong together, by topic and by the stage that they send to, and where copies of their rows go.
package struct TaskRoutes: Sendable {
    /// The tasks that read each topic, a group a stage and topic.
    package let topicGroups: [TopicGroup]
    /// For each stage that reads messages, the tasks that send to it.
    package let senders: [StageName: [TaskID]]
    package let additionalSinks: [SinkName]

    /// The tasks of one stage that reads a topic.
    package struct TopicGroup: Sendable, Equatable {
        package let tasks: [TaskID]
        /// The tasks of every stage that messages of these tasks lead to, over any number of stages.
        package let behind: [TaskID]
    }

    /// `partitions`: how many each topic has.
    package init(_ topology: Topology, partitions: [String: Int]) {
        var tasks: [StageName: [TaskID]] = [:]
        for (stage, count) in topology.taskCounts(partitions) { tasks[stage] = (0..<count).map { TaskID(stage: stage, partition: $0) } }
        var sendsTo: [StageName: [StageName]] = [:]
        for stage in topology.stages { sendsTo[stage.name] = stage.blueprint.sendsTo }
        var topicGroups: [TopicGroup] = []
        var senders: [StageName: [TaskID]] = [:]
        for stage in topology.stages {
            switch stage.input {
            case .topic:
                let behind = TaskRoutes.stages(behind: stage.name, sendsTo).flatMap { tasks[$0] ?? [] }
                topicGroups.append(TopicGroup(tasks: tasks[stage.name] ?? [], behind: behind))
            case .messages:
                let sending = topology.stages.filter { sendsTo[$0.name]?.contains(stage.name) == true }
                senders[stage.name] = sending.flatMap { tasks[$0.name] ?? [] }
            }
        }
        self.topicGroups = topicGroups
        self.senders = senders
        additionalSinks = topology.additionalSinks
    }

    private static func stages(behind stage: StageName, _ sendsTo: [StageName: [StageName]]) -> [StageName] {
        var found: [StageName] = []
        var next = sendsTo[stage] ?? []
        while let name = next.popLast() {
            guard !found.contains(name) else { continue }
            found.append(name)
            next += sendsTo[name] ?? []
        }
        return found
    }

    /// The stages whose least watermark is that of one of `ended`.
    func stages(behind ended: Set<TaskID>, _ watermarks: [TaskID: EventTime]) -> Set<StageName> {
        let least = upstreamWatermarks(watermarks)
        return Set(senders.filter { stage, tasks in tasks.contains { ended.contains($0) && watermarks[$0] == least[stage] } }.keys)
    }

    /// The least watermark of all tasks that send to each stage.
    func upstreamWatermarks(_ watermarks: [TaskID: EventTime]) -> [StageName: EventTime] {
        senders.mapValues { tasks in tasks.map { watermarks[$0] ?? .distantPast }.min() ?? .distantPast }
    }
}
