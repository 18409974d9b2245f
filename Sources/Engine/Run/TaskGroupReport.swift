/// What a group of tasks hands in at a cut.
public struct TaskGroupReport: Sendable {
    public let reports: [Coordinator.TaskReport]
    public let counters: [TaskID: TaskCounters]
    /// Partitions whose leaders are worth asking whether they are idle.
    public let candidates: [TopicPartition]
    /// The records' bytes in memory.
    public let stateBytes: Int
}
