import Engine

extension ManifestDraft {
    /// The draft of a checkpoint of the state that `facts` tells of. For the other parameters see the fields.
    public init(
        _ facts: CheckpointFacts, after parent: ManifestLink?, retaining retained: [ManifestObject], writer: String, createdAt: Int64, reason: CheckpointReason
    ) {
        self.init(
            parent: parent, jobVersion: facts.jobVersion, stateFormat: facts.stateFormat, identity: facts.identity, lineage: facts.lineage, writer: writer,
            epoch: facts.epoch, createdAt: createdAt, reason: reason, retained: retained, partitions: facts.partitions,
            tasks: facts.tasks.map { TaskPosition(task: $0.id, watermark: $0.watermark?.milliseconds, nextOffset: $0.next) },
            tables: facts.tables.map { TablePosition(name: $0.name, lastFrozen: $0.lastFrozen, lastDelivered: $0.lastDelivered) }
        )
    }
}

extension Manifest {
    /// What the manifest says of the state, as a state file tells it of itself.
    public var facts: CheckpointFacts {
        CheckpointFacts(
            job: job, jobVersion: jobVersion, stateFormat: stateFormat, identity: identity, lineage: lineage, epoch: epoch, partitions: partitions,
            tasks: tasks.map { CheckpointFacts.TaskProgress(id: $0.task, watermark: $0.watermark.map(EventTime.init(milliseconds:)), next: $0.nextOffset) },
            tables: tables.map { CheckpointFacts.TableProgress(name: $0.name, lastFrozen: $0.lastFrozen, lastDelivered: $0.lastDelivered) }
        )
    }
}
