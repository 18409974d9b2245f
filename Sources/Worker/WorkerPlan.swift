import Engine

/// What a worker finds before it starts: the state, the input and the sink, checked against each other.
struct WorkerPlan {
    let restored: RestoredState
    /// Every table that rows go to or wait for.
    let outboxTables: [OutboxTable]
    /// Partitions of each topic.
    let partitions: [String: Int]
    /// Topics that have more partitions than the state was built with, and how many those are.
    let grown: [String: Int]
    let tasks: [any StreamTask]
    let assignments: [SourceAssignment]
    /// The task that reads each partition.
    let readers: [TopicPartition: any StreamTask]
    /// nil for a worker without checkpoints.
    let checkpointer: Checkpointer?

    init(_ worker: Worker) throws {
        let opening = Clock.now
        restored = try worker.room("opening the state") { try worker.store.open(worker.topology) }
        worker.publish { [restored] in $0.waitingAtStart = restored.waitingBytes }
        worker.note(.open, Clock.now - opening - (restored.changesTook ?? .zero))
        if let time = restored.changesTook { worker.note(.migrate, time) }
        if restored.isNew && worker.settings.endsBeforeRepartition {
            throw WorkerError(.invalid, "there is no state, so there is nothing to repartition: start the job without --before-repartition, or set state.directory to where its state is")
        }
        for change in restored.changes { worker.logger.notice("\(change)") }
        outboxTables = restored.outboxTables(of: worker.topology)
        checkpointer = try worker.timed(.claim) { [restored] in try WorkerPlan.checkpointer(worker, restored) }
        (partitions, grown) = try worker.timed(.topics) { [restored] in try WorkerPlan.partitions(worker, restored) }
        guard !worker.settings.endsBeforeRepartition || !grown.isEmpty else {
            throw WorkerError(.invalid, "no topic has more partitions than the state was built with, so that nothing is to be read before a repartition: let the topic grow first, wait until all producers know its new number of partitions, then run this again")
        }
        let partitioning = try worker.timed(.sinks) { [restored, outboxTables] in try WorkerPlan.openSinks(worker, restored, outboxTables) }
        tasks = try worker.timed(.load) { [restored, partitions] in try WorkerPlan.tasks(worker, restored, partitions, partitioning) }
        var assignments: [SourceAssignment] = []
        var readers: [TopicPartition: any StreamTask] = [:]
        for task in tasks {
            guard case .topic(let topic)? = worker.topology.stages.first(where: { $0.name == task.id.stage })?.input else { continue }
            let partition = TopicPartition(topic: topic, partition: task.id.partition)
            guard readers.updateValue(task, forKey: partition) == nil else {
                throw WorkerError(.invalid, "two stages read topic \(topic); make them one stage with the processors of both")
            }
            assignments.append(SourceAssignment(partition: partition, position: restored.tasks[task.id]?.position))
        }
        self.assignments = assignments
        self.readers = readers
    }

    private static func checkpointer(_ worker: Worker, _ restored: RestoredState) throws -> Checkpointer? {
        guard let settings = worker.checkpoints else {
            guard restored.withdrawal == nil else {
                throw WorkerError(.invalid, "the state was restored from a checkpoint, and taking the job over needs the checkpoint store: set checkpoints.store as it was")
            }
            return nil
        }
        guard let store = worker.store as? any CheckpointedStore else { throw WorkerError(.bug, "this state store can't be checkpointed") }
        return try Checkpointer(settings, store, worker, restored)
    }

    /// Takes back what was delivered after the checkpoint that the state was restored from; false when drained before.
    func withdraw() throws -> Bool { try checkpointer?.withdraw() ?? true }

    /// Throws for a run that is to end before a repartition, and ended before it had read what it is for.
    func refuseUnread(_ worker: Worker) throws {
        guard worker.settings.endsBeforeRepartition else { return }
        throw WorkerError(.retry, "the run was stopped before it had read \(grown.keys.sorted().joined(separator: " and ")) to the end, so that the state can't be repartitioned yet: start it again with --before-repartition, and let it end by itself")
    }

    /// How a run ends that reads nothing.
    func endUnread(_ worker: Worker) throws -> RunOutcome {
        try refuseUnread(worker)
        let bytes = restored.waitingBytes
        return bytes == 0 ? .complete : .undelivered(bytes: bytes)
    }

    /// How many partitions each topic has, refusing any change: keys would lie elsewhere than their state.
    private static func partitions(_ worker: Worker, _ restored: RestoredState) throws -> (found: [String: Int], grown: [String: Int]) {
        var found: [String: Int] = [:]
        var grown: [String: Int] = [:]
        var new: [String: Int] = [:]
        for stage in worker.topology.stages {
            let (name, count) = switch stage.input {
            case .topic(let topic): (topic, try found[topic] ?? worker.source.partitionCount(of: topic))
            case .messages(let count): (stage.name.text, count)
            }
            found[name] = count
            guard let known = restored.partitions[name] else {
                new[name] = count
                continue
            }
            if known == count { continue }
            guard case .topic = stage.input, count > known else {
                throw WorkerError(.invalid, "\(name) has \(count) partitions, the state was built with \(known): keys would no longer meet their state. Go back to \(known) partitions, or start the job anew with an empty state directory, another checkpoints.store and new tables")
            }
            found[name] = try partitions(of: name, before: known, now: count, worker)
            grown[name] = count
        }
        if !new.isEmpty { try worker.room("noting how many partitions there are") { [new] in try worker.store.register(partitions: new) } }
        return (found, grown)
    }

    /// How many partitions of a topic that grew are read: those of before, in the run that ends there.
    private static func partitions(of topic: String, before: Int, now: Int, _ worker: Worker) throws -> Int {
        guard worker.settings.endsBeforeRepartition else {
            throw WorkerError(.invalid, "\(topic) has \(now) partitions, the state was built with \(before): keys would no longer meet their state. Bring the state to \(now) partitions: `tidemark run --before-repartition` reads what is in the \(before) and ends, then `checkpoint repartition latest --topic \(topic) --partitions \(now) --to DIRECTORY` makes the state directory to go on with (docs/OPERATIONS.md says more); or start the job anew with an empty state directory, another checkpoints.store and new tables")
        }
        // Otherwise keys went from one old partition to another, where their records must not meet the state as it is.
        guard PartitionGrowth(from: before, to: now).fillsNewPartitionsOnly else {
            throw WorkerError(.invalid, "\(topic) has grown from \(before) to \(now) partitions, which is no multiple, so that keys have moved between the old ones as well: reading those on would count such keys without their state. Only what was read before the topic grew can be repartitioned: if the job had read everything by then, go on with `checkpoint repartition latest --topic \(topic) --partitions \(now) --drained --to DIRECTORY`; else start it anew with an empty state directory, another checkpoints.store and new tables")
        }
        worker.logger.notice("\(topic) has grown from \(before) to \(now) partitions: the \(before) are read to where they end now")
        return before
    }

    /// Lets every sink check its tables against the state; returns how the first one's are partitioned.
    private static func openSinks(_ worker: Worker, _ restored: RestoredState, _ outboxTables: [OutboxTable]) throws -> [String: RowPartitioning] {
        func tables(of sink: SinkName?) -> [SinkTable] {
            outboxTables.filter { $0.sink == sink }.map { SinkTable($0, restored) }
        }
        let partitioning = try worker.sink.open(tables(of: nil))
        for name in worker.topology.furtherSinks { _ = try worker.furtherSinks[name]?.open(tables(of: name)) }
        return partitioning
    }

    private static func tasks(
        _ worker: Worker, _ restored: RestoredState, _ partitions: [String: Int], _ partitioning: [String: RowPartitioning]
    ) throws -> [any StreamTask] {
        var counts: [StageName: Int] = [:]
        for stage in worker.topology.stages {
            counts[stage.name] = switch stage.input {
            case .topic(let topic): partitions[topic] ?? 0
            case .messages(let count): count
            }
        }
        var environment = TaskEnvironment(
            partitioning: partitioning, partitions: counts, cold: worker.store, hashKey: restored.hashKey, references: worker.referenceTables
        )
        environment.holdsWatermarks = worker.settings.endsBeforeRepartition
        environment.namesPerRecord = worker.settings.namesPerRecord
        environment.recordLimit = worker.settings.recordLimit
        let tasks = worker.topology.stages.flatMap { stage in
            (0..<(counts[stage.name] ?? 0)).map { stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: $0), environment: environment)) }
        }
        for task in tasks {
            try worker.store.restore(task, memoryBudget: worker.settings.memoryBudget / max(tasks.count, 1))
            let known = restored.tasks[task.id]
            try task.resume(at: known?.watermark ?? .distantPast, position: known?.position)
        }
        return tasks
    }
}
