/// What the loop has to tell: for the log, the page, and whoever measures.
package enum RunRemark {
    /// So many batches of an earlier start may have been sent.
    case inDoubt(batches: Int)
    case holdsReading(Bool)
    /// A disk is full: the commit is tried again.
    case commitWaits(Epoch, any Failure)
    case committed(Epoch, taking: Duration)
    case housekeepingWaits(any Failure)
    /// Nothing more can be read of some partitions.
    case readingFailed(any Error)
    case draining
    /// Everything that was read before the drain is durable.
    case readingIsDurable
    /// Everything is delivered, or the time for that is over.
    case deliveryIsOver
    /// The run is over, with its last checkpoint or without.
    case ended
    case checkpointed(PublishedCheckpoint)
    /// None could be written; it is tried again.
    case checkpointFailed(any Failure)
    /// The drain left no time for the last one.
    case lastCheckpointIsMissing
    /// That everything was rolled back, or that the state supersedes none any more, could not be noted: the next start does it again.
    case notNoted(WorkerLoop.CheckpointAction, any Failure)
}
