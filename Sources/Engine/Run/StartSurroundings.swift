/// What surrounds a start that has a state, or begins one. Every call blocks, and throws what ends the start.
package protocol StartSurroundings: AnyObject {
    /// From any fixed origin, by a clock that never goes back.
    var now: Duration { get }
    /// Opens the state, or begins it.
    func open(_ topology: Topology) throws -> RestoredState
    /// Asks the archive whose the job is. `mustAnswer`: the start can't go on without.
    func claim(_ change: ChangeAtRest, mustAnswer: Bool) throws -> ArchiveStanding
    /// From now on the store keeps what changes after this epoch. False when it lacks some of that already.
    func keepChanges(after epoch: Epoch) throws -> Bool
    /// Copies the state whole and publishes it; nil where the start is only looked at.
    func publishFirst(_ reason: FinishedCheckpoint.Reason) throws -> PublishedCheckpoint?
    /// Notes that the state supersedes those of before no more.
    func endSupersession() throws
    func partitionCount(of topic: String) throws -> Int
    /// Remembers how many partitions these have.
    func register(partitions: [String: Int]) throws
    /// Lets a sink check its tables against the state; returns how they are partitioned. nil: the job's first sink.
    func open(_ sink: SinkName?, _ tables: [SinkTable]) throws -> [String: RowPartitioning]
    /// Rolls back from every sink; false when somebody wanted the start to end meanwhile.
    func rollBack(_ plan: RollbackPlan, from tables: [String]) throws -> Bool
    /// Notes that it was rolled back once.
    func rolledBack() throws
    /// What tasks are given beside what the state and the sinks say.
    func environment(_ partitioning: [String: RowPartitioning], _ partitions: [StageName: Int], _ hashKey: HashKey) -> TaskEnvironment
    /// Feeds the tasks their records; `memoryBudget`: for each of them.
    func load(_ tasks: [any StreamTask], memoryBudget: Int) throws
    /// Loads what tasks look things up in; false when somebody wanted the start to end meanwhile.
    func loadReferences() throws -> Bool
    /// Checks the assignments against the log, and says where each is read from.
    func position(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64]
    /// Where these partitions end now; those that nobody answers for are left out.
    func ends(of partitions: [TopicPartition]) -> [TopicPartition: Int64]
    func tell(_ remark: StartRemark)
    /// Ends the start with what it decided; who only looks at a start notes it, and the start goes on to what else there is to see.
    func refuse(_ refusal: StartRefusal) throws
}

extension StartSurroundings {
    package func refuse(_ refusal: StartRefusal) throws { throw refusal }
}
