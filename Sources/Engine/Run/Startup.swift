/// A start from its state to where reading begins: what is checked, claimed, published and rolled back, in which order.
///
/// The order is the promise: whose the job is is known before anything is published, a state that begins a lineage is in the
/// archive before anything leaves, and what it does not count has left the sinks before anything new gets there.
package struct Startup {
    /// How a start ended.
    package enum End {
        case begun(RunStart)
        /// Somebody wanted it to end before anything was read.
        case stopped(RunOutcome)
    }

    private let topology: Topology
    private let settings: RunSettings
    private let checkpoints: CheckpointRules?
    private let surroundings: any StartSurroundings

    /// No partition is idle for so long.
    private static let never = Duration.seconds(1 << 32)

    /// `checkpoints`: nil for a run without.
    package init(_ topology: Topology, _ settings: RunSettings, checkpoints: CheckpointRules?, in surroundings: any StartSurroundings) {
        self.topology = topology
        self.settings = settings
        self.checkpoints = checkpoints
        self.surroundings = surroundings
    }

    package func run() throws -> End {
        let restored = try surroundings.open(topology)
        if restored.isNew && settings.endsBeforeRepartition { try surroundings.refuse(.nothingToRepartition) }
        for change in restored.changes { surroundings.tell(.changed(change)) }
        let rolledBackTables = restored.tablesToRollBack(of: topology)
        var checkpointing = try claim(restored, rolledBackTables)
        let (partitions, grown) = try partitions(restored)
        let outboxTables = restored.outboxTables(of: topology)
        let partitioning = try surroundings.open(nil, restored.sinkTables(of: topology))
        for sink in topology.additionalSinks { _ = try surroundings.open(sink, restored.sinkTables(of: topology, to: sink)) }
        if let plan = restored.rollback, plan.stage == .due {
            surroundings.tell(.rollsBack)
            guard try surroundings.rollBack(plan, from: rolledBackTables) else { return try stopped(restored, grown) }
            try surroundings.rolledBack()
            checkpointing?.rolledBack()
        }
        let tasks = try tasks(restored, partitions, partitioning)
        guard try surroundings.loadReferences() else { return try stopped(restored, grown) }
        let readers = try readers(tasks)
        let starts = try position(readers, restored)
        let stopAt = settings.isBounded ? try ends(of: readers.keys.sorted()) : nil
        try raiseWatermarks(of: tasks, restored)
        return .begun(
            RunStart(
                topology: topology, settings: settings, restored: restored, outboxTables: outboxTables, partitions: partitions,
                grown: grown, tasks: tasks,
                readers: readers, starts: starts, groups: groups(tasks, readers, stopAt), checkpointing: checkpointing,
                rolledBackTables: rolledBackTables
            ))
    }

    private func stopped(_ restored: RestoredState, _ grown: [String: Int]) throws -> End {
        if settings.endsBeforeRepartition { try surroundings.refuse(.endedUnread(topics: grown.keys.sorted())) }
        let bytes = restored.waitingBytes
        return .stopped(bytes == 0 ? .complete : .undelivered(bytes: bytes))
    }

    // MARK: - Whose the job is

    /// Claims the job, and publishes at once when the archive has nothing of this lineage: nothing may leave before that.
    private func claim(_ restored: RestoredState, _ tables: [String]) throws -> Checkpointing? {
        guard let checkpoints else {
            if restored.rollback != nil { try surroundings.refuse(.restoredWithoutStore) }
            return nil
        }
        let refusal = Checkpointing.refusal(of: restored, durability: checkpoints.durability, mayBeginUnasked: checkpoints.mayBeginUnasked)
        var standing: ArchiveStanding?
        do {
            standing = try surroundings.claim(restored.changeAtRest, mustAnswer: refusal != nil)
        } catch let error as any Failure where error.kind == .retry {
            if let refusal { try surroundings.refuse(.unasked(refusal, error)) } else { surroundings.tell(.unasked(error)) }
        }
        var checkpointing = Checkpointing(
            interval: checkpoints.interval, durability: checkpoints.durability, restored: restored, tables: tables, standing: standing,
            now: surroundings.now
        )
        if try !surroundings.keepChanges(after: checkpointing.keepsChangesAfter) { checkpointing.beginsWithBase(now: surroundings.now) }
        if let reason = checkpointing.first, let published = try surroundings.publishFirst(reason) {
            if checkpointing.published(published, now: surroundings.now).endsSupersession { try endSupersession() }
        }
        if case .tables(let tables) = checkpointing.wait { surroundings.tell(.waitsForCheckpoint(tables: tables.sorted())) }
        return checkpointing
    }

    /// Where the disk is full, the next start publishes a base first once more.
    private func endSupersession() throws {
        do {
            try surroundings.endSupersession()
        } catch let error as any Failure where error.kind == .retry {
            surroundings.tell(.supersessionNotNoted(error))
        }
    }

    // MARK: - Topics and tables

    private func partitions(_ restored: RestoredState) throws -> (read: [String: Int], grown: [String: Int]) {
        var counts: [String: PartitionCount] = [:]
        for stage in topology.stages {
            let (name, isTopic) =
                switch stage.input {
                case .topic(let topic): (topic, true)
                case .messages: (stage.name.text, false)
                }
            guard counts[name] == nil else { continue }
            let found = if case .messages(let count) = stage.input { count } else { try surroundings.partitionCount(of: name) }
            do throws(StartRefusal) {
                counts[name] = try PartitionCount(
                    of: name, isTopic: isTopic, found: found, known: restored.partitions[name],
                    endsBeforeRepartition: settings.endsBeforeRepartition
                )
            } catch {
                try surroundings.refuse(error)
                counts[name] = restored.partitions[name].map(PartitionCount.asKnown) ?? .new(found)
            }
        }
        var new: [String: Int] = [:]
        var grown: [String: Int] = [:]
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            switch count {
            case .new(let found): new[name] = found
            case .asKnown: break
            case .before(let known, let found):
                grown[name] = found
                surroundings.tell(.hasGrown(topic: name, from: known, to: found))
            }
        }
        if !new.isEmpty { try surroundings.register(partitions: new) }
        if settings.endsBeforeRepartition && grown.isEmpty { try surroundings.refuse(.nothingHasGrown) }
        return (counts.mapValues(\.read), grown)
    }

    // MARK: - Tasks

    private func tasks(_ restored: RestoredState, _ partitions: [String: Int], _ partitioning: [String: RowPartitioning]) throws
        -> [any StreamTask]
    {
        let counts = topology.taskCounts(partitions)
        var environment = surroundings.environment(partitioning, counts, restored.hashKey)
        environment.holdsWatermarks = settings.endsBeforeRepartition
        environment.namesPerRecord = settings.namesPerRecord
        environment.recordLimit = settings.recordLimit
        let tasks = topology.stages.flatMap { stage in
            (0..<(counts[stage.name] ?? 0)).map {
                stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: $0), environment: environment))
            }
        }
        try surroundings.load(tasks, memoryBudget: settings.memoryBudget / max(tasks.count, 1))
        for task in tasks {
            let known = restored.tasks[task.id]
            try task.resume(at: known?.watermark ?? .distantPast, position: known?.position)
        }
        return tasks
    }

    private func readers(_ tasks: [any StreamTask]) throws -> [TopicPartition: any StreamTask] {
        var readers: [TopicPartition: any StreamTask] = [:]
        for task in tasks {
            guard case .topic(let topic)? = topology.stages.first(where: { $0.name == task.id.stage })?.input else { continue }
            if readers.updateValue(task, forKey: TopicPartition(topic: topic, partition: task.id.partition)) != nil {
                try surroundings.refuse(.twoStagesRead(topic: topic))
            }
        }
        return readers
    }

    private func position(_ readers: [TopicPartition: any StreamTask], _ restored: RestoredState) throws -> [TopicPartition: Int64] {
        let assignments = readers.sorted { $0.key < $1.key }.map {
            SourceAssignment(partition: $0.key, position: restored.tasks[$0.value.id]?.position)
        }
        let starts = try surroundings.position(assignments)
        for assignment in assignments {
            guard let start = starts[assignment.partition] else {
                throw RunError(.bug, "the source does not say where it begins to read \(assignment.partition)")
            }
            if assignment.position == nil { readers[assignment.partition]?.begin(at: start) }
        }
        return starts
    }

    private func ends(of partitions: [TopicPartition]) throws -> [TopicPartition: Int64] {
        let ends = surroundings.ends(of: partitions)
        let missing = partitions.filter { ends[$0] == nil }
        if !missing.isEmpty { try surroundings.refuse(.endsUnknown(missing)) }
        return ends
    }

    /// What a repartition left to be done. The stages behind hear of it with the first epoch, after what closes here.
    private func raiseWatermarks(of tasks: [any StreamTask], _ restored: RestoredState) throws {
        for task in tasks {
            guard let raise = restored.tasks[task.id]?.raise else { continue }
            try task.raiseWatermark(to: raise.watermark, firingTimers: !raise.isEnded)
        }
    }

    private func groups(_ tasks: [any StreamTask], _ readers: [TopicPartition: any StreamTask], _ stopAt: [TopicPartition: Int64]?)
        -> [TaskGroup]
    {
        let count = max(1, min(settings.threads, tasks.count))
        // At least one: a share of nothing would be used up before the first record.
        let limits = TaskGroup.Limits(records: max(1, settings.epochRecords / count), bytes: max(1, settings.epochBytes / count))
        return (0..<count).map { number in
            let own = tasks.enumerated().filter { $0.offset % count == number }.map(\.element)
            let ids = Set(own.map(\.id))
            return TaskGroup(
                tasks: own, readers: readers.filter { ids.contains($0.value.id) }, stopAt: stopAt, limits: limits,
                idleAfter: settings.endsBeforeRepartition ? Startup.never : settings.idleAfter
            )
        }
    }
}
