/// Why a start does not begin to read, each with its way out; beside what the state, the input and the sinks refuse themselves.
package enum StartRefusal: Failure {
    /// A run before a repartition has no state.
    case nothingToRepartition
    /// A run before a repartition finds no topic that has grown.
    case nothingHasGrown
    /// The state was restored, and there is no checkpoint store to take the job over with.
    case restoredWithoutStore
    /// The archive can't be asked whose the job is, and the start can't go on without.
    case unasked(Checkpointing.Refusal, any Error)
    /// A topic, or a stage that reads messages, has another number of partitions than the state was built with.
    case partitionsDiffer(String, found: Int, known: Int)
    /// A topic has grown, and the run is not one that ends before a repartition.
    case hasGrown(topic: String, from: Int, to: Int)
    /// A topic has grown by no multiple.
    case hasGrownUnevenly(topic: String, from: Int, to: Int)
    case twoStagesRead(topic: String)
    /// A bounded run does not learn where its partitions end.
    case endsUnknown([TopicPartition])
    /// What was delivered to this sink after a checkpoint can't be rolled back, so that none is restored.
    case cannotRollBack(SinkName)
    /// A run before a repartition was stopped before it had read everything.
    case endedUnread(topics: [String])
    /// A run before a repartition could not write its last checkpoint.
    case lastCheckpointMissing

    static let anew = "start the job anew with an empty state directory, another checkpoints.store and new tables"

    package var kind: FailureKind {
        switch self {
        case .unasked, .endedUnread, .lastCheckpointMissing: .retry
        default: .invalid
        }
    }

    package var cause: (any Error)? {
        if case .unasked(_, let error) = self { error } else { nil }
    }

    package var message: String {
        switch self {
        case .nothingToRepartition:
            "there is no state, so there is nothing to repartition: start the job without --before-repartition, or set state.directory to where its state is"
        case .nothingHasGrown:
            "no topic has more partitions than the state was built with, so that nothing is to be read before a repartition: let the topic grow first, wait until all producers know its new number of partitions, then run this again"
        case .restoredWithoutStore:
            "the state was restored from a checkpoint, and taking the job over needs the checkpoint store: set checkpoints.store as it was"
        case .unasked(.sharedDurability, _):
            "with shared durability nothing can be delivered without the checkpoint store; see to it and start again"
        case .unasked(.mayHaveToRestore, _):
            "the state directory is empty, and the checkpoint store can't be asked whether there is a state to restore; see to it and start again, or set state.restore: never to begin anew"
        case .unasked(.takesOver, _):
            "the state was restored, and the job can't be taken over without the checkpoint store; see to it and start again"
        case .partitionsDiffer(let name, let found, let known):
            "\(name) has \(found) partitions, the state was built with \(known): keys would no longer meet their state. Go back to \(known) partitions, or \(StartRefusal.anew)"
        case .hasGrown(let topic, let before, let now):
            "\(topic) has \(now) partitions, the state was built with \(before): keys would no longer meet their state. Bring the state to \(now) partitions: `tidemark run --before-repartition` reads what is in the \(before) and ends, then `checkpoint repartition latest --topic \(topic) --partitions \(now) --to DIRECTORY` makes the state directory to go on with (docs/OPERATIONS.md says more); or \(StartRefusal.anew)"
        case .hasGrownUnevenly(let topic, let before, let now):
            "\(topic) has grown from \(before) to \(now) partitions, which is no multiple, so that keys have moved between the old ones as well: reading those on would count such keys without their state. Only what was read before the topic grew can be repartitioned: if the job had read everything by then, go on with `checkpoint repartition latest --topic \(topic) --partitions \(now) --drained --to DIRECTORY`; else \(StartRefusal.anew)"
        case .twoStagesRead(let topic):
            "two stages read topic \(topic); make them one stage with the processors of both"
        case .endsUnknown(let partitions):
            "nobody says where \(partitions.count) partitions end (\(partitions[0]) is one); check that their leaders are up, then start again"
        case .cannotRollBack(let sink):
            "the state directory is empty, and with output.\(sink).enabled a checkpoint can't be restored: what is there since then can't be rolled back. Use the state directory as the last run left it, or begin anew with state.restore: never, another checkpoints.store, new tables and new topics"
        case .endedUnread(let topics):
            "the run was stopped before it had read \(topics.joined(separator: " and ")) to the end, so that the state can't be repartitioned yet: start it again with --before-repartition, and let it end by itself"
        case .lastCheckpointMissing:
            "everything is delivered, but the last checkpoint could not be written; see to the checkpoint store and run this again, or use the state directory instead of the checkpoint"
        }
    }
}
