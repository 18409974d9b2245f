/// What a start found and made: where a run goes on from.
public struct RunStart {
    public let topology: Topology
    public let settings: RunSettings
    public let restored: RestoredState
    /// Every table that rows go to or wait for.
    public let outboxTables: [OutboxTable]
    /// How many partitions each topic and stage has, as far as they are read.
    public let partitions: [String: Int]
    /// Topics that have more partitions than the state was built with, and how many those are.
    public let grown: [String: Int]
    public let tasks: [any StreamTask]
    /// The task that reads each partition.
    public let readers: [TopicPartition: any StreamTask]
    /// The offset that each partition is read from.
    public let starts: [TopicPartition: Int64]
    /// The tasks as they are spread over threads.
    public let groups: [TaskGroup]
    /// nil for a run without checkpoints.
    public let checkpointing: Checkpointing?
    /// The sink's tables in which rows of earlier lineages may be.
    public let rolledBackTables: [String]
}
