/// What all tasks of a worker have in common.
public struct TaskEnvironment: Sendable {
    /// How each output table is partitioned.
    public var partitioning: [String: RowPartitioning]
    /// How many partitions each stage has.
    public var partitions: [StageName: Int]
    public var cold: any ColdStateReader
    /// As the state says it.
    public var hashKey: HashKey
    /// The reference tables by name.
    public var references: [String: ReferenceTable]
    /// Records of topics move no watermark: no window closes because of them, and none of them makes another one late.
    package var holdsWatermarks = false
    /// How many names a set, or counts, of a record hold at most.
    package var namesPerRecord = NameBound.usual
    /// Records of topics with more bytes of key and value are rejected.
    package var recordLimit = Int.max
    /// True for the task that only shows what its stage declares.
    var isBlueprint = false

    public init(
        partitioning: [String: RowPartitioning], partitions: [StageName: Int], cold: any ColdStateReader, hashKey: HashKey,
        references: [String: ReferenceTable] = [:]
    ) {
        self.partitioning = partitioning
        self.partitions = partitions
        self.cold = cold
        self.hashKey = hashKey
        self.references = references
    }
}
