/// What a start found and made: where a run goes on from.
package struct RunStart {
    package let topology: Topology
    package let settings: RunSettings
    package let restored: RestoredState
    /// Every table that rows go to or wait for.
    package let outboxTables: [OutboxTable]
    /// How many partitions each topic and stage has, as far as they are read.
    package let partitions: [String: Int]
    /// Topics that have more partitions than the state was built with, and how many those are.
    package let grown: [String: Int]
    package let tasks: [any StreamTask]
    /// The task that reads each partition.
    package let readers: [TopicPartition: any StreamTask]
    /// The offset that each partition is read from.
    package let starts: [TopicPartition: Int64]
    /// The tasks as they are spread over threads.
    package let groups: [TaskGroup]
    /// nil for a run without checkpoints.
    package let checkpointing: Checkpointing?
    /// The sink's tables in which rows of earlier lineages may be.
    package let rolledBackTables: [String]
}
