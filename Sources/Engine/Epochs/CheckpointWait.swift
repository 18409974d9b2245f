/// Which batches leave only once a checkpoint is in the archive.
public enum CheckpointWait: Sendable, Equatable {
    case nothing
    /// Every batch waits for one that covers the epoch in which it was frozen.
    case everything
    /// Those of these tables wait for the first one of this run: a checkpoint that doesn't know a table can't have its rows
    /// rolled back when it is restored by a version of the job that doesn't have the table.
    case tables(Set<String>)
}
