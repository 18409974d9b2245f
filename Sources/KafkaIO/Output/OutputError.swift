import Engine

/// The errors that stop an output topic: what the ledger and the state say of each other, and what to do.
enum OutputError {
    static func fenced(_ topic: String, _ text: String) -> SourceError {
        SourceError(
            .fenced,
            "another worker of this job writes to topic \(topic) now and has shut this one out (\(text)): let only one run, or give this one another job.id"
        )
    }

    static func mismatch(_ mismatch: LedgerMismatch, topic: String, group: String) -> SourceError {
        let place = "the ledger of topic \(topic) (consumer group \(group))"
        let anew = "start anew with an empty state directory, new topics (output.kafka.topicPrefix) and another job.id"
        switch mismatch {
        case .missing(let delivered):
            return SourceError(
                .missing,
                "\(place) is gone, although batches up to \(delivered) were delivered: the topic was created again, the group deleted, its offsets expired (offsets.retention.minutes, counted from the topic's last batch), or these are other brokers. Nothing is sent, because it can't be known what of it is there. Name the brokers that were used before; or, knowing that the topic holds that batch, say so with tidemark resolve --as delivered; or \(anew)"
            )
        case .ahead(let found, let lastFrozen):
            return SourceError(
                .invalid,
                "\(place) says that batch \(found.number) was delivered, but this state has made batches only up to \(lastFrozen?.number ?? 0): the state is older than what was delivered (a restored or copied directory?), and rows in Kafka can't be rolled back. Run the job on its newest state; or \(anew)"
            )
        case .behind(let found, let delivered):
            return SourceError(
                .invalid,
                "\(place) says that batch \(found.number) was the last, but batches up to \(delivered) were delivered: these are other brokers, or they lost data. Nothing is sent, because rows would be missing. Name the brokers that were used before; or \(anew)"
            )
        case .otherState(let found):
            return SourceError(
                .invalid,
                "\(place) is that of another state of this job (batch \(found.number) was delivered from it), so everything might be delivered again. Name the state directory that this job has used (state.directory); or \(anew)"
            )
        case .newerLineage(let found):
            return SourceError(
                .fenced,
                "\(place) is of lineage \(found.lineage), newer than this state's: the job was restored elsewhere and goes on there. Stop this worker, or run it on the newest lineage's state"
            )
        case .olderLineage(let found):
            return SourceError(
                .invalid,
                "\(place) is of lineage \(found.lineage), older than this state's: the rows of that lineage can't be rolled back in Kafka. Switch the Kafka output off; or \(anew)"
            )
        }
    }
}
