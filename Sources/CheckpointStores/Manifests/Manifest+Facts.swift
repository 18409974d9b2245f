import Engine

extension ManifestDraft {
    /// The draft of a checkpoint of the state that `facts` tells of. For the other parameters see the fields.
    package init(
        _ facts: CheckpointFacts, after parent: ManifestLink?, retaining retained: [ManifestObject], writer: String, createdAt: Int64,
        reason: CheckpointReason
    ) {
        self.init(
            parent: parent, jobVersion: facts.jobVersion, stateFormat: facts.stateFormat, identity: facts.identity, hashKey: facts.hashKey,
            lineage: facts.lineage,
            writer: writer, epoch: facts.epoch, createdAt: createdAt, reason: reason, retained: retained, partitions: facts.partitions,
            tasks: facts.tasks, tables: facts.tables
        )
    }
}

extension Manifest {
    /// What the manifest says of the state, as a state file tells it of itself.
    package var facts: CheckpointFacts {
        CheckpointFacts(
            job: job, jobVersion: jobVersion, stateFormat: stateFormat, identity: identity, hashKey: hashKey, lineage: lineage,
            epoch: epoch, partitions: partitions,
            tasks: tasks, tables: tables
        )
    }
}
