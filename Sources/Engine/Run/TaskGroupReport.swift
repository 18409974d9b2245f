/// What a group of tasks hands in at a cut.
package struct TaskGroupReport: Sendable {
    package let reports: [Coordinator.TaskReport]
    package let counters: [TaskID: TaskCounters]
    /// Partitions whose leaders are worth asking whether they are idle.
    package let candidates: [TopicPartition]
    /// The records' bytes in memory.
    package let stateBytes: Int
}
