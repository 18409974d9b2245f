/// The parts of a start, up to its first record.
public enum StartPart: String, Sendable, CaseIterable {
    /// Until the state directory was this process's: the worker before drained meanwhile.
    case wait
    /// Filling an empty state directory from a checkpoint.
    case restore
    /// Opening the state file, and finding out what is in it.
    case open
    /// Making the stored tables those of this version of the job.
    case migrate
    /// Asking the checkpoint store whose the job is, and saying that it is this worker's.
    case claim
    /// Asking the topics for their partitions, ends and last records.
    case topics
    /// Asking the sinks for their tables.
    case sinks
    /// Loading the records of the state tables.
    case load
    /// Taking back what a restored state does not count.
    case rollBack = "withdraw"
    /// Loading the reference tables, and reading their topics to the ends.
    case references
    /// From the beginning of reading to the first record.
    case firstRecord = "first record"
}

public typealias StartTimes = PartTimes<StartPart>
