import Engine

/// The fintech analytics job: its decoding, tables and processors.
public enum FintechJob {
    /// Counted up with every change of what the job stores or computes.
    public static let version = 1
}
